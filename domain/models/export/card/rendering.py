"""A card as Markdown and as an HTML page that needs nothing from elsewhere.

Names come from whoever has uploaded a file, and may be any text: both forms escape all of it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from domain.models.export.card import curve
from domain.models.export.card.contents import Card

STYLE = """
:root { color-scheme: light dark; --line: #2f6fb0; --other: #c0561f; --faint: #8884; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto; }
th, td { text-align: left; padding: 0.25rem 0.75rem; border-bottom: 1px solid var(--faint); overflow-wrap: anywhere; }
pre { padding: 0.75rem; background: var(--faint); overflow-x: auto; }
svg { width: 100%; height: auto; }
svg text { font: 12px system-ui, sans-serif; fill: currentColor; }
.axis { stroke: currentColor; fill: none; }
.training, .held-out { fill: none; stroke-width: 2; stroke: var(--line); }
.held-out { stroke: var(--other); stroke-dasharray: 6 4; }
"""

POLICY = (
    f"default-src 'none'; style-src 'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The Content-Security-Policy under which a browser shows the page: its own style, and nothing else."""

_MARKUP = re.compile(r"([\\`*\[\]<>#|~&$]|(?<![^\W_])_|_(?![^\W_]))")
"""What Markdown might take for more than text within a line. An underscore within a word is text anyway."""


def _as_markdown(text: object) -> str:
    """The text so that Markdown shows it as it is: escaped, and on one line."""
    return _MARKUP.sub(r"\\\1", " ".join(str(text).split()))


def _plain_number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _environment(*, html: bool) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=html,  # noqa: S701  # Markdown has its own filter
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update({"markdown": _as_markdown, "number": _plain_number})
    return environment


_HTML = _environment(html=True).get_template("card.html.jinja")
_MARKDOWN = _environment(html=False).get_template("card.md.jinja")


def as_html(card: Card) -> str:
    """The card as a page, to be sent with `POLICY`."""
    return _HTML.render(card=card, style=STYLE, picture=curve)


def as_markdown(card: Card) -> str:
    """The card as Markdown with tables (GitHub's, and most others'). The curve is a table in it.

    A picture within the text would be kilobytes of digits to who reads it as it is, and most renderers show none.
    """
    return _MARKDOWN.render(card=card)
