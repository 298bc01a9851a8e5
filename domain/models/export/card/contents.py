"""What a model card consists of, whatever it is written in. All of it is plain text that is still to be escaped."""

from __future__ import annotations

from dataclasses import dataclass

from domain.models.export.card.curve import Curve


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        header: names of its columns.
        rows: each as long as the header.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Code:
    """A program or command to copy.

    Attributes:
        language: as Markdown names it.
        text: its lines.
    """

    language: str
    text: str


@dataclass(frozen=True)
class Section:
    """A part of the card; what it has is shown in this order."""

    title: str
    paragraphs: tuple[str, ...] = ()
    curve: Curve | None = None
    table: Table | None = None
    points: tuple[str, ...] = ()
    code: tuple[Code, ...] = ()


@dataclass(frozen=True)
class Card:
    """The whole card."""

    title: str
    summary: str
    sections: tuple[Section, ...]
