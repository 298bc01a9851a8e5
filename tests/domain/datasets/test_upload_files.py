"""Files of uploads: locked while in use, gone at the end, cleared away when their process was killed."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path
from typing import IO

import pytest

from domain.datasets.upload_files import remove_abandoned_uploads, upload_files
from infra.errors import Unavailable
from infra.settings import Settings


def test_only_abandoned_files_are_removed(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with upload_files(settings) as files:
        abandoned = files.path.with_name("abandoned")
        abandoned.write_bytes(b"left by a killed process")
        remove_abandoned_uploads(settings)
        assert not abandoned.exists()
        assert files.path.exists()
        assert files.table.exists()
    assert list((tmp_path / "uploads").iterdir()) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told_as_such(tmp_path: Path, number: int) -> None:
    with pytest.raises(Unavailable) as refused, upload_files(Settings(data_dir=tmp_path)):
        raise OSError(number, os.strerror(number))
    assert refused.value.code == "storage_full"
    assert list((tmp_path / "uploads").iterdir()) == []


def test_the_table_may_be_taken_away(tmp_path: Path) -> None:
    with upload_files(Settings(data_dir=tmp_path)) as files:
        files.table.rename(tmp_path / "elsewhere")
    assert list((tmp_path / "uploads").iterdir()) == []


def test_a_file_that_is_taken_for_abandoned_before_it_is_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(data_dir=tmp_path)
    lock, too_early = fcntl.flock, [True, True]

    def late(file: IO[bytes], operation: int) -> None:
        if too_early:
            too_early.pop()
            with monkeypatch.context() as patch:
                patch.setattr(fcntl, "flock", lock)
                remove_abandoned_uploads(settings)
        lock(file, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    with upload_files(settings) as files:
        assert files.path.exists()
        assert files.table.exists()


def test_there_need_be_no_folder_yet(tmp_path: Path) -> None:
    remove_abandoned_uploads(Settings(data_dir=tmp_path / "new"))
