from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text()
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(?:(\w+)::)?(\w+)`", PAGE)


def test_every_test_that_the_page_names_is_there() -> None:
    assert NAMED
    for path, kind, name in NAMED:
        source = (ROOT / path).read_text()
        assert not kind or f"class {kind}:" in source, f"{path} has no {kind}"
        assert re.search(rf"^ *def {name}\(", source, re.MULTILINE), f"{path} has no {name}"


def test_every_row_of_what_survives_what_names_one() -> None:
    table = PAGE.partition("## What survives what")[2].partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ") and "---" not in line][1:]
    assert len(rows) > 20
    assert all(re.search(r"`tests/\S+::\w+` \|$", row) for row in rows)
