"""A pickle that tells when somebody unpickles it."""

from __future__ import annotations

import pickle
from pathlib import Path


class _Trap:
    """What, unpickled, calls `open` to make a file: no process need import anything of ours for that."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.path), "w")


class PlantedPickle:
    """A pickle to be planted wherever something might unpickle it.

    Attributes:
        thing: an object whose pickle is `content`.
        content: the pickle.
    """

    def __init__(self, folder: Path) -> None:
        self._mark = folder / "unpickled"
        self.thing = _Trap(self._mark)
        self.content = pickle.dumps(self.thing)
        pickle.loads(self.content).close()  # noqa: S301  # our own
        assert self.was_unpickled()
        self._mark.unlink()

    def was_unpickled(self) -> bool:
        """Whether somebody has."""
        return self._mark.exists()
