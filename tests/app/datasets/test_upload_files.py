"""Files of uploads: locked while in use, gone at the end, cleared away when their process was killed."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from app.datasets.upload_files import remove_abandoned_uploads, upload_file
from infra.errors import Unavailable
from infra.settings import Settings


def test_only_abandoned_files_are_removed(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with upload_file(settings) as file:
        abandoned = Path(file.name).with_name("abandoned")
        abandoned.write_bytes(b"left by a killed process")
        remove_abandoned_uploads(settings)
        assert not abandoned.exists()
        assert Path(file.name).exists()
    assert list((tmp_path / "uploads").iterdir()) == []


def test_a_full_disk_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as refused, upload_file(Settings(data_dir=tmp_path)):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert refused.value.code == "storage_full"
    assert list((tmp_path / "uploads").iterdir()) == []


def test_there_need_be_no_folder_yet(tmp_path: Path) -> None:
    remove_abandoned_uploads(Settings(data_dir=tmp_path / "new"))
