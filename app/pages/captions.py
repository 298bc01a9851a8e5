"""The form in which people say something of a thing: its name, its tags and a note."""

from __future__ import annotations

from starlette.datastructures import FormData

from app.pages.checking import checked, words
from app.pages.forms import said
from backprop_client.wire.captions import CaptionPatch


def caption_said(form: FormData) -> CaptionPatch:
    """What the form says of all three; a field that is empty clears.

    Raises:
        InvalidRequest: one of them is not as it must be (code ``invalid_request``).
    """
    values: dict[str, object] = {
        "name": said(form, "name"),
        "tags": words(said(form, "tags")),
        "note": said(form, "note"),
    }
    return checked(CaptionPatch, values)
