"""Pages made of templates. What a page shows is a dataclass, and its template is named beside its class."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Protocol

from fastapi import Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.pages.frame import Frame, frame_of
from app.pages.wording import FILTERS

HERE = Path(__file__).parent
TEMPLATES = HERE / "templates"
STATIC = HERE / "static"

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""What a browser lets a page do. Nothing is loaded from elsewhere, and nothing inline runs."""


class Page(Protocol):
    """What a page shows: a dataclass whose fields its template reads as ``page.…``."""

    template: ClassVar[str]
    """The file below `TEMPLATES`."""

    @property
    def title(self) -> str:
        """What the browser calls it."""


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    return environment


ENVIRONMENT = _environment()


def rendered(page: Page, frame: Frame) -> str:
    """The HTML of a page with what is around it."""
    context: dict[str, Any] = {"page": page, "frame": frame}
    return ENVIRONMENT.get_template(page.template).render(context)


def page_response(request: Request, page: Page, status: int = 200) -> Response:
    """The page as an answer. Nobody keeps it: it shows what is there now."""
    return html_response(rendered(page, frame_of(request)), status)


def html_response(html: str, status: int = 200) -> Response:
    """An answer that is a page."""
    return Response(html, status, {"Content-Security-Policy": POLICY}, "text/html; charset=utf-8")
