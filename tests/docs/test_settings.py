from __future__ import annotations

import re
from pathlib import Path

import yaml

from infra.settings import Settings

ROOT = Path(__file__).parents[2]
TABLE = re.compile(r"<!-- settings: begin[^>]*-->\n(.*?)<!-- settings: end -->", re.DOTALL)


def settings_table() -> str:
    """The table that the README should have: one row a setting, in the order of the code."""
    lines = ["| variable | default | what it is |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = "(empty)" if field.default == "" else f"`{field.default}`"
        lines.append(f"| `BACKPROP_{name.upper()}` | {default} | {field.description} |")
    return "\n".join(lines) + "\n"


def test_the_readme_s_table_is_that_of_the_code() -> None:
    found = TABLE.search((ROOT / "README.md").read_text())
    assert found is not None
    assert found.group(1) == settings_table(), f"README.md should have between its markers:\n{settings_table()}"


OF_THE_CONTAINERS = {"BACKPROP_DATA_DIR"}
"""Settings that the image has, and nobody can change."""


def test_compose_passes_every_setting_on() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    wanted = {f"BACKPROP_{name.upper()}" for name in Settings.model_fields} - OF_THE_CONTAINERS
    for name in ("api", "worker", "migrate"):
        passed = {variable for variable in services[name]["environment"] if variable.startswith("BACKPROP_")}
        assert passed == wanted, name
