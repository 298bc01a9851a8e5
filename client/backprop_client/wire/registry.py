"""What a client sends and gets about registered models, their versions and their aliases."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictInt

from backprop_client.wire.names import Tags, Text
from backprop_client.wire.strict_models import StrictModel

NAME_PATTERN = "^[A-Za-z0-9_-]{1,255}$"
"""What registered models and aliases may be called: what needs no quoting in an address."""

LARGEST_VERSION = 2**53 - 1
"""The greatest integer that all readers of JSON read as it is."""

_MODEL_ID = re.compile(r"mdl_[0-9A-Z]{26}")
_VERSION_NAME = re.compile(r"[vV][0-9]+")

RegistryEventKind = Literal[
    "created",
    "changed",
    "deleted",
    "version_created",
    "version_deleted",
    "alias_moved",
    "alias_deleted",
]


def _no_model_id(name: str) -> str:
    """An address that takes both an id and a name must not have to choose."""
    if _MODEL_ID.fullmatch(name):
        raise ValueError("has the form of a model's id, and could be taken for one")
    return name


def _no_version(alias: str) -> str:
    """What everybody reads as a version's name must not point to another one."""
    if alias.lower() == "latest" or _VERSION_NAME.fullmatch(alias):
        raise ValueError("latest and v<number> are no aliases: they would be read as versions")
    return alias


RegisteredName = Annotated[
    str,
    Field(pattern=NAME_PATTERN, description="What it is asked for by: A-Z a-z 0-9 _ -", examples=["digits"]),
    AfterValidator(_no_model_id),
]
AliasName = Annotated[
    str,
    Field(pattern=NAME_PATTERN, description="A-Z a-z 0-9 _ -; not latest, not v<number>", examples=["production"]),
    AfterValidator(_no_version),
]
VersionNumber = Annotated[StrictInt, Field(ge=1, le=LARGEST_VERSION)]


class RegisteredModelIn(StrictModel):
    """A registered model to make: a name for models that follow each other."""

    name: RegisteredName
    description: Text | None = None
    tags: Tags = ()


class RegisteredModelPatch(StrictModel):
    """What is to change of a registered model; what is left out stays."""

    description: Text | None = Field(default=None, description="Null for none.")
    tags: Tags = Field(default=(), description="All of them: they replace those that it has.")


class AliasOut(BaseModel):
    """An alias: a name that points to one version, and can be moved."""

    model_config = ConfigDict(title="Alias")

    alias: str
    version: int = Field(description="Where it points to.")
    model_id: str = Field(description="The model of that version.")
    etag: str = Field(description="The state of the alias, for If-Match: it changes whenever the alias moves.")
    moved_at: datetime


class RegisteredModelOut(BaseModel):
    """A registered model."""

    model_config = ConfigDict(title="RegisteredModel")

    id: str = Field(description="For pages of the list; it is asked for by its name.")
    name: str
    description: str | None
    tags: tuple[str, ...]
    last_version: int = Field(description="The greatest number that a version has had; 0 before the first.")
    aliases: list[AliasOut] = Field(description="In the order of their names.")
    created_at: datetime
    updated_at: datetime = Field(description="When description or tags were last changed.")


class RegisteredModelPage(BaseModel):
    """Registered models, newest first."""

    data: list[RegisteredModelOut]
    has_more: bool


class VersionIn(StrictModel):
    """A model to become the next version."""

    model_id: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,64}$")] = Field(description="The model.")
    description: Text | None = None
    tags: Tags = ()


class VersionOut(BaseModel):
    """A version: a model under a registered model's name, with a number."""

    model_config = ConfigDict(title="Version")

    name: str = Field(description="Of the registered model.")
    version: int = Field(description="1, 2, 3, … Numbers of deleted versions do not come again.")
    model_id: str
    description: str | None
    tags: tuple[str, ...]
    aliases: list[str] = Field(description="Those that point to it.")
    created_at: datetime


class VersionPage(BaseModel):
    """Versions, newest first."""

    data: list[VersionOut]
    has_more: bool


class AliasIn(StrictModel):
    """Where an alias is to point to."""

    version: VersionNumber


class RegistryEventOut(BaseModel):
    """Something that was changed under a registered model's name."""

    model_config = ConfigDict(title="RegistryEvent", populate_by_name=True)

    sequence: int = Field(description="1, 2, 3, … of the name.")
    kind: RegistryEventKind
    alias: str | None = Field(description="The alias that was moved or deleted; null for other kinds.")
    from_version: int | None = Field(
        alias="from", description="Where the alias pointed to, or the version that was deleted; null for none."
    )
    to_version: int | None = Field(
        alias="to", description="Where the alias points to, or the version that was created; null for none."
    )
    model_id: str | None = Field(description="The model of the version that this is about.")
    key_id: str | None = Field(description="Of the key that asked for it; null for a job, and without keys.")
    job_id: str | None = Field(description="The job that did it at its end; null if a request did.")
    at: datetime


class RegistryEventPage(BaseModel):
    """Events of a name, the oldest first."""

    data: list[RegistryEventOut]
    has_more: bool
