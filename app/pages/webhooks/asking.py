"""What the forms of webhooks say."""

from __future__ import annotations

from starlette.datastructures import FormData

from app.pages.forms import all_said, said


def fields_said(form: FormData) -> dict[str, object]:
    """The fields of a webhook that its forms have."""
    return {
        "url": said(form, "url") or "",
        "events": tuple(all_said(form, "event")),
        "description": said(form, "description"),
    }
