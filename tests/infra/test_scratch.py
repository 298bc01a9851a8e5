"""Scratch folders: locked while in use, gone at the end, cleared away when their process was killed."""

from __future__ import annotations

from pathlib import Path

from infra.scratch import remove_abandoned, scratch_folder

PREFIX = "job-"


def test_a_folder_is_there_for_as_long_as_it_is_used(tmp_path: Path) -> None:
    with scratch_folder(tmp_path / "new", PREFIX) as folder:
        (folder / "X.npy").write_bytes(b"rows")
        remove_abandoned(tmp_path / "new", PREFIX)
        assert (folder / "X.npy").exists()
    assert list((tmp_path / "new").iterdir()) == []


def test_what_nobody_uses_any_more_is_removed_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / f"{PREFIX}abandoned" / "deeper").mkdir(parents=True)
    (tmp_path / f"{PREFIX}abandoned-file").write_bytes(b"left by a killed process")
    (tmp_path / "somebody-else-s").mkdir()
    with scratch_folder(tmp_path, PREFIX) as folder:
        remove_abandoned(tmp_path, PREFIX)
        assert {path.name for path in tmp_path.iterdir()} == {"somebody-else-s", folder.name}


def test_there_need_be_no_parent_yet(tmp_path: Path) -> None:
    remove_abandoned(tmp_path / "new", PREFIX)


def test_only_its_owner_sees_a_folder(tmp_path: Path) -> None:
    with scratch_folder(tmp_path, PREFIX) as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
