from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

import pytest

from infra.artifacts import LONGEST_WRITE, ArtifactStore


def test_content_comes_back_from_any_position(tmp_path: Path) -> None:
    artifacts = ArtifactStore(str(tmp_path / "new" / "folder"))
    with artifacts.open_output("datasets/a.bin") as stream:
        stream.write(b"0123456789")
    with artifacts.open_input("datasets/a.bin") as stream:
        stream.seek(7)
        assert stream.read() == b"789"


def test_content_appears_only_when_it_is_complete(tmp_path: Path) -> None:
    artifacts = ArtifactStore(str(tmp_path))
    with artifacts.open_output("a") as stream:
        stream.write(b"half")
        assert not artifacts.exists("a")
    assert artifacts.exists("a")


def test_nothing_is_left_of_a_write_that_failed(tmp_path: Path) -> None:
    _fail_to_write(ArtifactStore(str(tmp_path)), "datasets/a")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    artifacts = ArtifactStore(str(tmp_path))
    with artifacts.open_output("a") as stream:
        stream.write(b"first")
    _fail_to_write(artifacts, "a")
    with artifacts.open_input("a") as stream:
        assert stream.read() == b"first"


def _fail_to_write(artifacts: ArtifactStore, key: str) -> None:
    with suppress(RuntimeError), artifacts.open_output(key) as stream:
        stream.write(b"half")
        raise RuntimeError


def test_deleting_is_idempotent(tmp_path: Path) -> None:
    artifacts = ArtifactStore(str(tmp_path))
    with artifacts.open_output("a") as stream:
        stream.write(b"x")
    artifacts.delete("a")
    artifacts.delete("a")
    assert not artifacts.exists("a")
    with pytest.raises(FileNotFoundError):
        artifacts.open_input("a")


def test_a_relative_folder_is_one_below_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with ArtifactStore("store").open_output("a") as stream:
        stream.write(b"x")
    assert (tmp_path / "store" / "a").read_bytes() == b"x"


def test_a_file_uri_names_the_same_folder_as_its_path(tmp_path: Path) -> None:
    with ArtifactStore(tmp_path.as_uri()).open_output("a") as stream:
        stream.write(b"x")
    assert ArtifactStore(str(tmp_path)).exists("a")


def test_what_a_killed_process_left_half_written_is_removed_a_day_later(tmp_path: Path) -> None:
    artifacts = ArtifactStore(str(tmp_path / "artifacts"))
    artifacts.remove_abandoned()  # with nothing there yet
    with artifacts.open_output("datasets/whole") as stream:
        stream.write(b"content")
    folder = tmp_path / "artifacts" / "datasets"
    for name in ("old.partial", "new.partial"):
        (folder / name).write_bytes(b"half")
    long_ago = time.time() - 2 * LONGEST_WRITE.total_seconds()
    for name in ("whole", "old.partial"):
        os.utime(folder / name, (long_ago, long_ago))
    artifacts.remove_abandoned()
    assert {path.name for path in folder.iterdir()} == {"whole", "new.partial"}
