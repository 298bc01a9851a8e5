"""The file with a person's key is theirs alone."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.errors import CommandError
from cli.shell.profile import Profile, read_profile, write_profile

PRINTABLE = st.text(st.characters(categories=("L", "N", "P", "S"), exclude_characters='"\\'), min_size=1)


@given(st.builds(Profile, url=st.none() | PRINTABLE, api_key=st.none() | PRINTABLE))
def test_what_is_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, profile: Profile) -> None:
    path = tmp_path_factory.mktemp("profile") / "deep" / "profile.toml"
    write_profile(path, profile)
    assert read_profile(path) == profile
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_one_that_others_could_read_is_replaced_and_never_read(tmp_path: Path) -> None:
    path = tmp_path / "profile.toml"
    assert read_profile(path) == Profile()
    path.write_text('api_key = "key_1"\n')
    path.chmod(0o644)
    with pytest.raises(CommandError, match="chmod 600"):
        read_profile(path)
    old_mask = os.umask(0)
    try:
        write_profile(path, Profile(api_key="key_2"))
    finally:
        os.umask(old_mask)
    assert read_profile(path) == Profile(api_key="key_2")


@pytest.mark.parametrize("text", ["url", "url = 3\n", 'colour = "red"\n', "[default]\n"])
def test_what_is_none_is_told_of(tmp_path: Path, text: str) -> None:
    path = tmp_path / "profile.toml"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(CommandError, match=r"profile\.toml"):
        read_profile(path)


def test_what_would_break_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="quotes"):
        write_profile(tmp_path / "profile.toml", Profile(url='http://x"\nurl = "y'))
