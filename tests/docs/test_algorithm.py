from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "algorithm.md").read_text()
QUOTES = re.findall(r"^```python (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("path", "code"), QUOTES)
def test_quoted_code_is_in_the_file_named(path: str, code: str) -> None:
    lines = (ROOT / path).read_text().splitlines()
    length = len(code.splitlines())
    stretches = (textwrap.dedent("\n".join(lines[start : start + length])) + "\n" for start in range(len(lines)))
    assert code in stretches, f"{path} has not this any more:\n{code}"


def test_every_block_of_code_names_its_file() -> None:
    assert len(QUOTES) == PAGE.count("```") // 2
