"""Other people's libraries, none of which has to be installed."""

from __future__ import annotations

import importlib
import sys
from typing import Any


def loaded(name: str) -> Any:  # noqa: ANN401  # they have no types that we could name
    """A module that somebody has imported already; None if nobody has, so that no object can come from it."""
    return sys.modules.get(name)


def installed(name: str) -> Any:  # noqa: ANN401
    """A module, imported; None if it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def needed(name: str, what_for: str) -> Any:  # noqa: ANN401
    """A module, imported.

    Args:
        name: the module's.
        what_for: what needs it, as the subject of a sentence.

    Raises:
        ImportError: it is not installed; the message says who needs it.
    """
    module = installed(name)
    if module is None:
        package = name.partition(".")[0]
        raise ImportError(f"{what_for} needs {package}, which is not installed: pip install {package}", name=name)
    return module


def comes_from(value: object, module: str, *classes: str) -> bool:
    """Whether an object is of one of a library's classes, without importing the library."""
    library = loaded(module)
    found = (getattr(library, each, None) for each in classes) if library is not None else ()
    return any(isinstance(value, each) for each in found if isinstance(each, type))
