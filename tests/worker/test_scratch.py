from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from worker.scratch import PREFIX, remove_abandoned_folders, scratch_folder


@pytest.fixture(autouse=True)
def _own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_a_folder_is_there_for_as_long_as_it_is_used(tmp_path: Path) -> None:
    with scratch_folder() as folder:
        (folder / "X.npy").write_bytes(b"rows")
        remove_abandoned_folders()
        assert (folder / "X.npy").exists()
    assert list(tmp_path.iterdir()) == []


def test_what_nobody_uses_any_more_is_removed_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / f"{PREFIX}abandoned" / "deeper").mkdir(parents=True)
    (tmp_path / "somebody-else-s").mkdir()
    with scratch_folder() as folder:
        remove_abandoned_folders()
        assert {path.name for path in tmp_path.iterdir()} == {"somebody-else-s", folder.name}
