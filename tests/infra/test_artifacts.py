from __future__ import annotations

import errno
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from infra.artifacts import LONGEST_WRITE, ArtifactStore


def put(artifacts: ArtifactStore, key: str, content: bytes, folder: Path) -> None:
    """Add a file of `folder` with that content."""
    file = folder / "local"
    file.write_bytes(content)
    artifacts.add(key, file)


def test_content_comes_back_from_any_position(tmp_path: Path) -> None:
    artifacts = ArtifactStore(str(tmp_path / "new" / "folder"))
    put(artifacts, "datasets/a.bin", b"0123456789", tmp_path)
    with artifacts.reading("datasets/a.bin") as stream:
        stream.seek(7)
        assert stream.read() == b"789"


def test_what_is_added_replaces_what_was_there(tmp_path: Path) -> None:
    artifacts = ArtifactStore(str(tmp_path / "store"))
    for content in (b"first", b"second"):
        put(artifacts, "a", content, tmp_path)
        with artifacts.reading("a") as stream:
            assert stream.read() == content


@pytest.fixture
def other_disk() -> Iterator[Path]:
    """A folder on another disk than the temporary one."""
    with TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


def test_content_of_another_disk_is_copied_whole(tmp_path: Path, other_disk: Path) -> None:
    assert other_disk.stat().st_dev != tmp_path.stat().st_dev
    artifacts = ArtifactStore(str(tmp_path / "store"))
    put(artifacts, "datasets/a", b"content", other_disk)
    assert [path.name for path in (tmp_path / "store").rglob("*") if path.is_file()] == ["a"]
    with artifacts.reading("datasets/a") as stream:
        assert stream.read() == b"content"


def test_nothing_is_left_of_a_copy_that_failed(
    tmp_path: Path, other_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(_source: Path, target: Path) -> None:
        target.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    artifacts = ArtifactStore(str(tmp_path / "store"))
    put(artifacts, "a", b"first", other_disk)
    monkeypatch.setattr(shutil, "copyfile", half)
    with pytest.raises(OSError, match="No space"):
        put(artifacts, "a", b"second", other_disk)
    assert {path.name: path.read_bytes() for path in (tmp_path / "store").iterdir()} == {"a": b"first"}


def test_a_store_that_is_no_folder_of_ours_gets_a_copy(tmp_path: Path) -> None:
    artifacts = ArtifactStore("mock:///")  # Arrow's own, in memory
    put(artifacts, "a", b"content", tmp_path)
    assert (tmp_path / "local").read_bytes() == b"content"
    with artifacts.reading("a") as stream:
        assert stream.read() == b"content"
    with pytest.raises(FileNotFoundError):
        artifacts.add("a", tmp_path / "missing")
    assert not artifacts.exists("a")


def test_deleting_is_idempotent(tmp_path: Path) -> None:
    artifacts = ArtifactStore(str(tmp_path / "store"))
    put(artifacts, "a", b"x", tmp_path)
    artifacts.delete("a")
    artifacts.delete("a")
    assert not artifacts.exists("a")
    with pytest.raises(FileNotFoundError), artifacts.reading("a"):
        pass


def test_a_relative_folder_is_one_below_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    put(ArtifactStore("store"), "a", b"x", tmp_path)
    assert (tmp_path / "store" / "a").read_bytes() == b"x"


def test_a_file_uri_names_the_same_folder_as_its_path(tmp_path: Path) -> None:
    put(ArtifactStore(tmp_path.as_uri()), "a", b"x", tmp_path)
    assert ArtifactStore(str(tmp_path)).exists("a")


def test_what_a_killed_process_left_half_written_is_removed_a_day_later(tmp_path: Path) -> None:
    artifacts = ArtifactStore(str(tmp_path / "artifacts"))
    artifacts.remove_abandoned()  # with nothing there yet
    put(artifacts, "datasets/whole", b"content", tmp_path)
    folder = tmp_path / "artifacts" / "datasets"
    for name in ("old.partial", "new.partial"):
        (folder / name).write_bytes(b"half")
    long_ago = time.time() - 2 * LONGEST_WRITE.total_seconds()
    for name in ("whole", "old.partial"):
        os.utime(folder / name, (long_ago, long_ago))
    artifacts.remove_abandoned()
    assert {path.name for path in folder.iterdir()} == {"whole", "new.partial"}
