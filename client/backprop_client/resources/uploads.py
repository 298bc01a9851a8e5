"""The upload of a file with a table."""

from __future__ import annotations

import json
import os
from pathlib import Path

from backprop_client.transport.calls import Body, Call, Content, as_type
from backprop_client.wire.datasets import DatasetOut

USUAL_NAME = "table"
"""What a file is called that has no name. Its format is found out from its bytes then."""


def uploaded(content: Content, file_name: str | None, **fields: object) -> Call[DatasetOut]:
    """The call that uploads a file.

    Args:
        content: of the file.
        file_name: None for that of the path, or of the open file if it has one.
        fields: of `UploadFields`; None for those that are not given.
    """
    form = {name: _written(value) for name, value in fields.items() if value is not None}
    body = Body(content, "application/octet-stream", form, file_name or _name_of(content))
    return Call("POST", "/v1/datasets", as_type(DatasetOut), body=body, creates=True)


def _name_of(content: Content) -> str:
    name = content if isinstance(content, (str, os.PathLike)) else getattr(content, "name", None)
    return Path(name).name if isinstance(name, (str, os.PathLike)) else USUAL_NAME


def _written(value: object) -> str:
    """A field of a form, which knows only text."""
    return value if isinstance(value, str) else json.dumps(value, default=list)
