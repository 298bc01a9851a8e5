"""How addresses of the protocol name models."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path

from domain.inference.naming import AskedModel

NAME = "A registered name, or a model's id."
VERSION = "The number of a version, or `@alias`; 1 of a model's id."

_Name = Annotated[str, Path(alias="model_name", description=NAME, examples=["digits"])]
_Version = Annotated[str, Path(alias="model_version", description=VERSION, examples=["1"])]


async def _newest(name: _Name) -> AskedModel:
    return AskedModel(name)


async def _version(name: _Name, version: _Version) -> AskedModel:
    return AskedModel(name, version)


Newest = Annotated[AskedModel, Depends(_newest)]
"""A model whose address names no version."""

Version = Annotated[AskedModel, Depends(_version)]
"""A version of a model."""
