"""What stands for a dataset or a model when a person names one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_DATASET = re.compile("ds_[0-9A-Z]{26}")
_MODEL = re.compile("mdl_[0-9A-Za-z]+")
_REGISTERED = re.compile(r"(?P<name>[A-Za-z0-9_-]+)@(?:v(?P<version>[0-9]+)|(?P<alias>[A-Za-z0-9_-]+))")

LATEST = "latest"
"""What everybody reads as the newest version. It is no alias."""


@dataclass(frozen=True)
class Registered:
    """A model under a registered name.

    Attributes:
        name: of the registered model.
        alias: which one; None where the version says so. `LATEST` is the newest version.
        version: which one.
    """

    name: str
    alias: str | None
    version: int | None


def is_dataset_id(data: object) -> bool:
    """Whether this is a dataset's id, and no file's path."""
    return isinstance(data, str) and bool(_DATASET.fullmatch(data)) and not Path(data).exists()


def model_named(text: str) -> str | Registered:
    """A model's id, or which version of a registered model is meant.

    Raises:
        ValueError: it is neither.
    """
    if _MODEL.fullmatch(text):
        return text
    found = _REGISTERED.fullmatch(text)
    if found is None:
        raise ValueError(
            f"{text!r} names no model. Give a model's id, or a registered model with what is meant of it: "
            f"'{text or 'digits'}@champion' by an alias, '@v3' by its version, '@{LATEST}' the newest."
        )
    version = found["version"]
    return Registered(found["name"], found["alias"], None if version is None else int(version))
