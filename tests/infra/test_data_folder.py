"""The data folder is private, and what is not ours is left alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from infra.data_folder import DataFolderUnusable, open_data_folder


@pytest.fixture(autouse=True)
def _umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_what_is_made_from_then_on_is_private(tmp_path: Path) -> None:
    open_data_folder(tmp_path / "new" / "data")
    (tmp_path / "new" / "data" / "file").write_text("")
    assert mode(tmp_path / "new" / "data") == 0o700
    assert mode(tmp_path / "new" / "data" / "file") == 0o600


def test_what_was_there_is_made_private(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    (folder / "redis" / "appendonlydir").mkdir(parents=True)
    for name in ("backprop.db", "backprop.db-wal", "redis/redis.log", "redis/appendonlydir/1.aof"):
        (folder / name).write_text("")
    open_data_folder(folder)
    assert {mode(path) & 0o077 for path in (folder, *folder.rglob("*"))} == {0}
    assert mode(folder / "redis") == 0o700
    assert mode(folder / "redis" / "redis.log") == 0o600


def test_a_folder_with_other_things_in_it_stays_open_and_they_too(tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir(mode=0o755)
    (tmp_path / "thesis" / "chapter.txt").write_text("")
    (tmp_path / "backprop.db").write_text("")
    (tmp_path / "artifacts").symlink_to(tmp_path / "thesis")
    tmp_path.chmod(0o755)
    open_data_folder(tmp_path)
    assert mode(tmp_path) == 0o755
    assert mode(tmp_path / "thesis") == 0o755
    assert mode(tmp_path / "thesis" / "chapter.txt") == 0o644
    assert mode(tmp_path / "backprop.db") == 0o600


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataFolderUnusable, match=r"file/data cannot be used: Not a directory\."):
        open_data_folder(tmp_path / "file" / "data")


def test_a_folder_that_may_not_be_written_to_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # to root everything may be done
    with pytest.raises(DataFolderUnusable, match=r"cannot be used: it may not be written to\."):
        open_data_folder(tmp_path)


def test_a_folder_that_stays_readable_is_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, mode: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    tmp_path.chmod(0o755)
    monkeypatch.setattr(Path, "chmod", refuse)
    with capture_logs() as logs:
        open_data_folder(tmp_path)
    assert [(log["path"], log["reason"]) for log in logs] == [(str(tmp_path), "Operation not permitted")]
