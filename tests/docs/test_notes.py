"""docs/jobs.md says of every note of ended jobs when there is one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from backprop_client.wire.jobs import NoteCode

PAGE = Path(__file__).parents[2] / "docs" / "jobs.md"


def test_the_table_has_each_note() -> None:
    section = PAGE.read_text().split("## What an ended job says of itself")[1].split("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \| ", section, flags=re.MULTILINE) == ["code", *get_args(NoteCode)]
