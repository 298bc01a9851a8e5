"""Where a training's progress is shown, and how often.

- In a notebook: as HTML that is updated in place, through IPython's display, without widgets.
- In a terminal where Rich is installed: as a bar.
- Else: as a line from time to time, on the standard error.
"""

from __future__ import annotations

import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, TextIO

from backprop_client.progress.html import job_card
from backprop_client.progress.watched import Watched
from backprop_client.progress.words import figures, headline, line
from backprop_client.tables.libraries import installed, loaded


class Display(ABC):
    """Shows a job's progress; at most once in `every` seconds, and whenever its status has changed."""

    every: float

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._shown_at: float | None = None
        self._headline = ""

    def show(self, watched: Watched) -> None:
        """Show what is known now, unless that was done a moment ago."""
        now, words = self._now(), headline(watched)
        if self._shown_at is None or words != self._headline or now - self._shown_at >= self.every:
            self._shown_at, self._headline = now, words
            self.draw(watched)

    @abstractmethod
    def draw(self, watched: Watched) -> None:
        """Show what is known now."""

    def close(self, watched: Watched) -> None:
        """Show how it has ended, or where it was left."""
        self.draw(watched)


class Nothing(Display):
    """Shows nothing."""

    every = float("inf")

    def draw(self, watched: Watched) -> None:
        """Show nothing."""


class Lines(Display):
    """A line at a time."""

    every = 2.0
    """Seconds. A log of a training of hours has thousands of lines then, and not millions."""

    def __init__(self, stream: TextIO, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__(now)
        self._stream = stream
        self._last = ""

    def draw(self, watched: Watched) -> None:
        """Write a line, unless it would say what the last one says."""
        words = line(watched)
        if words != self._last:
            self._last = words
            print(words, file=self._stream, flush=True)


_BAR_WIDTH = 12
"""Characters. With the figures beside it, it fits into a terminal of 80."""


class Bar(Display):
    """A bar of Rich's."""

    every = 0.1
    """Seconds. Faster than that nobody reads."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        console = installed("rich.console").Console(file=stream)
        progress = installed("rich.progress")
        columns = ("{task.description}", progress.BarColumn(_BAR_WIDTH), "{task.fields[figures]}")
        self._progress = progress.Progress(*columns, console=console, auto_refresh=False)
        self._task = self._progress.add_task("", total=1.0, figures="")
        self._is_begun = False

    def draw(self, watched: Watched) -> None:
        """Draw the bar anew. The job's id, which is long, stands above it."""
        if not self._is_begun:
            self._progress.console.print(watched.job.id, highlight=False)
            self._progress.start()
            self._is_begun = True
        told = " · ".join(figures(watched)).removeprefix("iteration ")
        self._progress.update(self._task, description=headline(watched), completed=watched.share, figures=told)
        self._progress.refresh()

    def close(self, watched: Watched) -> None:
        """Leave the bar as it is at the end."""
        self.draw(watched)
        self._progress.stop()


class Notebook(Display):
    """HTML in a notebook, updated in place."""

    every = 0.5
    """Seconds. Each update goes to the browser whole."""

    def __init__(self) -> None:
        super().__init__()
        self._display = installed("IPython.display")
        self._handle: Any = None

    def draw(self, watched: Watched) -> None:
        """Show the card, or put the new one in its place."""
        card = self._display.HTML(job_card(watched))
        if self._handle is None:
            self._handle = self._display.display(card, display_id=True)
        else:
            self._handle.update(card)


def display_for(progress: bool, stream: TextIO | None = None) -> Display:
    """The display that fits where the program runs.

    Args:
        progress: whether to show anything.
        stream: for bars and lines; None: the standard error.
    """
    stream = stream or sys.stderr
    if not progress:
        return Nothing()
    if _is_notebook():
        return Notebook()
    if stream.isatty() and installed("rich.progress") is not None:
        return Bar(stream)
    return Lines(stream)


def _is_notebook() -> bool:
    """Whether this is IPython with a browser in front. In a terminal IPython is as Python."""
    ipython = loaded("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and hasattr(shell, "kernel")
