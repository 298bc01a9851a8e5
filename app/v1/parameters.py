"""Parameters that several routes share."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query

from backprop_client.wire.registry import LARGEST_VERSION, NAME_PATTERN, AliasName

ID_PATTERN = "^[A-Za-z0-9_-]{1,64}$"

IdPath = Annotated[str, Path(pattern=ID_PATTERN, examples=["job_01JD3KZ7W8M5T2Q4R6V9X0Y1Z3"])]
After = Annotated[
    str | None, Query(pattern=ID_PATTERN, description="The id that the page before ended with; none for the first.")
]
RegisteredNamePath = Annotated[
    str, Path(pattern=NAME_PATTERN, description="The name of a registered model.", examples=["digits"])
]
AliasPath = Annotated[AliasName, Path(description="A name that points to one version.")]
VersionPath = Annotated[int, Path(ge=1, le=LARGEST_VERSION, description="The number of a version.")]
AfterEvent = Annotated[int, Query(ge=0, le=2**31 - 1, description="Events past this sequence number; 0 for all.")]
EventLimit = Annotated[int, Query(ge=1, le=1000, description="How many events at most.")]
Limit = Annotated[int, Query(ge=1, le=100, description="How many at most.")]
