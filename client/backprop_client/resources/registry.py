"""`client.registry`: models under names, with versions and aliases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backprop_client.downloads import AsyncDownload, Download
from backprop_client.pages import AsyncList, Listing, Page
from backprop_client.resources.parts import Row, accepting, conditions, quoted, whole
from backprop_client.resources.rows import in_file, in_json
from backprop_client.transport.calls import NOT_GIVEN, Call, Content, NotGiven, as_type, given, json_body, nothing
from backprop_client.transport.sending import AsyncSender, Sender
from backprop_client.wire.models import PredictionResponse, UnknownCategories
from backprop_client.wire.registry import (
    AliasOut,
    RegisteredModelOut,
    RegisteredModelPage,
    RegistryEventOut,
    RegistryEventPage,
    VersionOut,
    VersionPage,
)


@dataclass(frozen=True)
class Registry:
    """Models under names, with versions and aliases."""

    _sender: Sender

    def create(
        self, *, name: str, description: str | NotGiven | None = NOT_GIVEN, tags: Sequence[str] | NotGiven = NOT_GIVEN
    ) -> RegisteredModelOut:
        """Make a name for models that follow each other."""
        return self._sender.send(_create(name, description, tags))

    def list(self, *, after: str | None = None, limit: int | None = None) -> Page[RegisteredModelOut]:
        """The registered models, newest first."""
        return Page.asked_for(self._sender, _list(after, limit))

    def get(self, name: str) -> RegisteredModelOut:
        """One of them, with its aliases."""
        return self._sender.send(_get(name))

    def update(
        self, name: str, *, description: str | NotGiven | None = NOT_GIVEN, tags: Sequence[str] | NotGiven = NOT_GIVEN
    ) -> RegisteredModelOut:
        """Change its description or tags."""
        return self._sender.send(_update(name, description, tags))

    def delete(self, name: str) -> None:
        """Delete the name and its versions, not their models."""
        self._sender.send(_delete(name))

    def history(self, name: str, *, after: int | None = None, limit: int | None = None) -> Page[RegistryEventOut]:
        """Who changed what, the oldest first."""
        return Page.asked_for(self._sender, _history(name, after, limit))

    def create_version(
        self,
        name: str,
        *,
        model_id: str,
        description: str | NotGiven | None = NOT_GIVEN,
        tags: Sequence[str] | NotGiven = NOT_GIVEN,
    ) -> VersionOut:
        """Make a model the next version."""
        return self._sender.send(_create_version(name, model_id, description, tags))

    def list_versions(self, name: str, *, after: int | None = None, limit: int | None = None) -> Page[VersionOut]:
        """Its versions, newest first."""
        return Page.asked_for(self._sender, _list_versions(name, after, limit))

    def get_version(self, name: str, version: int) -> VersionOut:
        """One of them."""
        return self._sender.send(_get_version(name, version))

    def delete_version(self, name: str, version: int) -> None:
        """Delete a version that no alias points to, not its model."""
        self._sender.send(_delete_version(name, version))

    def get_alias(self, name: str, alias: str) -> AliasOut:
        """Where an alias points to."""
        return self._sender.send(_get_alias(name, alias))

    def move_alias(
        self, name: str, alias: str, *, version: int, if_match: str | None = None, if_none_match: str | None = None
    ) -> AliasOut:
        """Let an alias point to a version.

        With `if_match`, the `etag` of the alias, only if nobody has moved it meanwhile; with `if_none_match` of `*`
        only if it is not there yet.
        """
        return self._sender.send(_move_alias(name, alias, version, if_match, if_none_match))

    def delete_alias(self, name: str, alias: str, *, if_match: str | None = None) -> None:
        """Delete an alias, with `if_match` only if nobody has moved it meanwhile."""
        self._sender.send(_delete_alias(name, alias, if_match))

    def predict_by_alias(
        self, name: str, alias: str, rows: Sequence[Row], *, unknown_categories: UnknownCategories | None = None
    ) -> PredictionResponse:
        """Predictions by the version that an alias points to."""
        return self._sender.send(_predict_by_alias(name, alias, rows, unknown_categories))

    def predict_by_version(
        self, name: str, version: int, rows: Sequence[Row], *, unknown_categories: UnknownCategories | None = None
    ) -> PredictionResponse:
        """Predictions by a version."""
        return self._sender.send(_predict_by_version(name, version, rows, unknown_categories))

    def predict_file_by_alias(
        self,
        name: str,
        alias: str,
        content: Content,
        *,
        media_type: str,
        accept: str | None = None,
        unknown_categories: UnknownCategories | None = None,
    ) -> Download:
        """Predictions for the rows of a file, by the version that an alias points to."""
        return Download(
            _predict_file_by_alias(name, alias, content, media_type, accept, unknown_categories), self._sender
        )

    def predict_file_by_version(
        self,
        name: str,
        version: int,
        content: Content,
        *,
        media_type: str,
        accept: str | None = None,
        unknown_categories: UnknownCategories | None = None,
    ) -> Download:
        """Predictions for the rows of a file, by a version."""
        return Download(
            _predict_file_by_version(name, version, content, media_type, accept, unknown_categories), self._sender
        )


@dataclass(frozen=True)
class AsyncRegistry:
    """Models under names, with versions and aliases."""

    _sender: AsyncSender

    async def create(
        self, *, name: str, description: str | NotGiven | None = NOT_GIVEN, tags: Sequence[str] | NotGiven = NOT_GIVEN
    ) -> RegisteredModelOut:
        """Make a name for models that follow each other."""
        return await self._sender.send(_create(name, description, tags))

    def list(self, *, after: str | None = None, limit: int | None = None) -> AsyncList[RegisteredModelOut]:
        """The registered models, newest first."""
        return AsyncList(_list(after, limit), self._sender)

    async def get(self, name: str) -> RegisteredModelOut:
        """One of them, with its aliases."""
        return await self._sender.send(_get(name))

    async def update(
        self, name: str, *, description: str | NotGiven | None = NOT_GIVEN, tags: Sequence[str] | NotGiven = NOT_GIVEN
    ) -> RegisteredModelOut:
        """Change its description or tags."""
        return await self._sender.send(_update(name, description, tags))

    async def delete(self, name: str) -> None:
        """Delete the name and its versions, not their models."""
        await self._sender.send(_delete(name))

    def history(self, name: str, *, after: int | None = None, limit: int | None = None) -> AsyncList[RegistryEventOut]:
        """Who changed what, the oldest first."""
        return AsyncList(_history(name, after, limit), self._sender)

    async def create_version(
        self,
        name: str,
        *,
        model_id: str,
        description: str | NotGiven | None = NOT_GIVEN,
        tags: Sequence[str] | NotGiven = NOT_GIVEN,
    ) -> VersionOut:
        """Make a model the next version."""
        return await self._sender.send(_create_version(name, model_id, description, tags))

    def list_versions(self, name: str, *, after: int | None = None, limit: int | None = None) -> AsyncList[VersionOut]:
        """Its versions, newest first."""
        return AsyncList(_list_versions(name, after, limit), self._sender)

    async def get_version(self, name: str, version: int) -> VersionOut:
        """One of them."""
        return await self._sender.send(_get_version(name, version))

    async def delete_version(self, name: str, version: int) -> None:
        """Delete a version that no alias points to, not its model."""
        await self._sender.send(_delete_version(name, version))

    async def get_alias(self, name: str, alias: str) -> AliasOut:
        """Where an alias points to."""
        return await self._sender.send(_get_alias(name, alias))

    async def move_alias(
        self, name: str, alias: str, *, version: int, if_match: str | None = None, if_none_match: str | None = None
    ) -> AliasOut:
        """Let an alias point to a version.

        With `if_match`, the `etag` of the alias, only if nobody has moved it meanwhile; with `if_none_match` of `*`
        only if it is not there yet.
        """
        return await self._sender.send(_move_alias(name, alias, version, if_match, if_none_match))

    async def delete_alias(self, name: str, alias: str, *, if_match: str | None = None) -> None:
        """Delete an alias, with `if_match` only if nobody has moved it meanwhile."""
        await self._sender.send(_delete_alias(name, alias, if_match))

    async def predict_by_alias(
        self, name: str, alias: str, rows: Sequence[Row], *, unknown_categories: UnknownCategories | None = None
    ) -> PredictionResponse:
        """Predictions by the version that an alias points to."""
        return await self._sender.send(_predict_by_alias(name, alias, rows, unknown_categories))

    async def predict_by_version(
        self, name: str, version: int, rows: Sequence[Row], *, unknown_categories: UnknownCategories | None = None
    ) -> PredictionResponse:
        """Predictions by a version."""
        return await self._sender.send(_predict_by_version(name, version, rows, unknown_categories))

    def predict_file_by_alias(
        self,
        name: str,
        alias: str,
        content: Content,
        *,
        media_type: str,
        accept: str | None = None,
        unknown_categories: UnknownCategories | None = None,
    ) -> AsyncDownload:
        """Predictions for the rows of a file, by the version that an alias points to."""
        return AsyncDownload(
            _predict_file_by_alias(name, alias, content, media_type, accept, unknown_categories), self._sender
        )

    def predict_file_by_version(
        self,
        name: str,
        version: int,
        content: Content,
        *,
        media_type: str,
        accept: str | None = None,
        unknown_categories: UnknownCategories | None = None,
    ) -> AsyncDownload:
        """Predictions for the rows of a file, by a version."""
        return AsyncDownload(
            _predict_file_by_version(name, version, content, media_type, accept, unknown_categories), self._sender
        )


def _create(name: str, description: str | NotGiven | None, tags: Sequence[str] | NotGiven) -> Call[RegisteredModelOut]:
    return Call(
        "POST",
        "/v1/registry",
        as_type(RegisteredModelOut),
        body=json_body(given(name=name, description=description, tags=tags)),
        creates=True,
    )


def _list(after: str | None, limit: int | None) -> Listing[RegisteredModelOut]:
    return Listing(
        Call("GET", "/v1/registry", as_type(RegisteredModelPage), query={"after": after, "limit": limit}),
        lambda item: item.id,
    )


def _get(name: str) -> Call[RegisteredModelOut]:
    return Call("GET", f"/v1/registry/{quoted(name)}", as_type(RegisteredModelOut))


def _update(name: str, description: str | NotGiven | None, tags: Sequence[str] | NotGiven) -> Call[RegisteredModelOut]:
    return Call(
        "PATCH",
        f"/v1/registry/{quoted(name)}",
        as_type(RegisteredModelOut),
        body=json_body(given(description=description, tags=tags)),
    )


def _delete(name: str) -> Call[None]:
    return Call("DELETE", f"/v1/registry/{quoted(name)}", nothing)


def _history(name: str, after: int | None, limit: int | None) -> Listing[RegistryEventOut]:
    return Listing(
        Call(
            "GET",
            f"/v1/registry/{quoted(name)}/history",
            as_type(RegistryEventPage),
            query={"after": after, "limit": limit},
        ),
        lambda item: item.sequence,
    )


def _create_version(
    name: str, model_id: str, description: str | NotGiven | None, tags: Sequence[str] | NotGiven
) -> Call[VersionOut]:
    return Call(
        "POST",
        f"/v1/registry/{quoted(name)}/versions",
        as_type(VersionOut),
        body=json_body(given(model_id=model_id, description=description, tags=tags)),
        creates=True,
    )


def _list_versions(name: str, after: int | None, limit: int | None) -> Listing[VersionOut]:
    return Listing(
        Call(
            "GET", f"/v1/registry/{quoted(name)}/versions", as_type(VersionPage), query={"after": after, "limit": limit}
        ),
        lambda item: item.version,
    )


def _get_version(name: str, version: int) -> Call[VersionOut]:
    return Call("GET", f"/v1/registry/{quoted(name)}/versions/{quoted(version)}", as_type(VersionOut))


def _delete_version(name: str, version: int) -> Call[None]:
    return Call("DELETE", f"/v1/registry/{quoted(name)}/versions/{quoted(version)}", nothing)


def _get_alias(name: str, alias: str) -> Call[AliasOut]:
    return Call("GET", f"/v1/registry/{quoted(name)}/aliases/{quoted(alias)}", as_type(AliasOut))


def _move_alias(name: str, alias: str, version: int, if_match: str | None, if_none_match: str | None) -> Call[AliasOut]:
    return Call(
        "PUT",
        f"/v1/registry/{quoted(name)}/aliases/{quoted(alias)}",
        as_type(AliasOut),
        headers=conditions(if_match, if_none_match),
        body=json_body({"version": version}),
    )


def _delete_alias(name: str, alias: str, if_match: str | None) -> Call[None]:
    return Call(
        "DELETE", f"/v1/registry/{quoted(name)}/aliases/{quoted(alias)}", nothing, headers=conditions(if_match, None)
    )


def _predict_by_alias(
    name: str, alias: str, rows: Sequence[Row], unknown_categories: UnknownCategories | None
) -> Call[PredictionResponse]:
    return Call(
        "POST",
        f"/v1/registry/{quoted(name)}@{quoted(alias)}/predict",
        as_type(PredictionResponse),
        body=json_body(in_json(rows, unknown_categories)),
    )


def _predict_by_version(
    name: str, version: int, rows: Sequence[Row], unknown_categories: UnknownCategories | None
) -> Call[PredictionResponse]:
    return Call(
        "POST",
        f"/v1/registry/{quoted(name)}/versions/{quoted(version)}/predict",
        as_type(PredictionResponse),
        body=json_body(in_json(rows, unknown_categories)),
    )


def _predict_file_by_alias(
    name: str,
    alias: str,
    content: Content,
    media_type: str,
    accept: str | None,
    unknown_categories: UnknownCategories | None,
) -> Call[bytes]:
    return Call(
        "POST",
        f"/v1/registry/{quoted(name)}@{quoted(alias)}/predict",
        whole,
        query={"unknown_categories": unknown_categories},
        headers=accepting(accept or media_type),
        body=in_file(content, media_type),
    )


def _predict_file_by_version(
    name: str,
    version: int,
    content: Content,
    media_type: str,
    accept: str | None,
    unknown_categories: UnknownCategories | None,
) -> Call[bytes]:
    return Call(
        "POST",
        f"/v1/registry/{quoted(name)}/versions/{quoted(version)}/predict",
        whole,
        query={"unknown_categories": unknown_categories},
        headers=accepting(accept or media_type),
        body=in_file(content, media_type),
    )
