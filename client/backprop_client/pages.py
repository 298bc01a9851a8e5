"""Lists that the service gives page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

from backprop_client.transport.calls import Call
from backprop_client.transport.sending import AsyncSender, Sender

Item = TypeVar("Item")
Item_co = TypeVar("Item_co", covariant=True)


class Listed(Protocol[Item_co]):
    """A page as the service gives it."""

    @property
    def data(self) -> Sequence[Item_co]:
        """What is on it."""

    @property
    def has_more(self) -> bool:
        """Whether there is more behind it."""


@dataclass(frozen=True)
class Listing(Generic[Item]):
    """How a list is asked for.

    Attributes:
        call: asks for the first page.
        mark: gives what the query's `after` is for the page behind an item.
    """

    call: Call[Listed[Item]]
    mark: Callable[[Item], Any]

    def behind(self, item: Item) -> Listing[Item]:
        """Asks for the page behind an item."""
        return replace(self, call=replace(self.call, query={**self.call.query, "after": self.mark(item)}))


@dataclass(frozen=True)
class Page(Generic[Item]):
    """A page of a list. Iterating goes on over all further pages, each of which is asked for when it is needed.

    Attributes:
        data: what is on this page.
        has_more: whether there is more behind it.
    """

    data: Sequence[Item]
    has_more: bool
    _listing: Listing[Item]
    _sender: Sender

    @classmethod
    def asked_for(cls, sender: Sender, listing: Listing[Item]) -> Page[Item]:
        """The page that a listing begins with."""
        listed = sender.send(listing.call)
        return cls(listed.data, listed.has_more, listing, sender)

    def next_page(self) -> Page[Item] | None:
        """The page behind this one; None if this is the last."""
        return Page.asked_for(self._sender, self._listing.behind(self.data[-1])) if self.has_more else None

    def __iter__(self) -> Iterator[Item]:
        """Go through this page and all behind it."""
        page: Page[Item] | None = self
        while page is not None:
            yield from page.data
            page = page.next_page()


@dataclass(frozen=True)
class AsyncList(Generic[Item]):
    """A list that has not been asked for. Awaiting it gives its first page; iterating goes over all its pages."""

    _listing: Listing[Item]
    _sender: AsyncSender

    def __await__(self) -> Generator[Any, None, AsyncPage[Item]]:
        """Ask for the first page."""
        return AsyncPage.asked_for(self._sender, self._listing).__await__()

    async def __aiter__(self) -> AsyncIterator[Item]:
        """Go through all pages."""
        async for item in await self:
            yield item


@dataclass(frozen=True)
class AsyncPage(Generic[Item]):
    """A page of a list. Iterating goes on over all further pages, each of which is asked for when it is needed.

    Attributes:
        data: what is on this page.
        has_more: whether there is more behind it.
    """

    data: Sequence[Item]
    has_more: bool
    _listing: Listing[Item]
    _sender: AsyncSender

    @classmethod
    async def asked_for(cls, sender: AsyncSender, listing: Listing[Item]) -> AsyncPage[Item]:
        """The page that a listing begins with."""
        listed = await sender.send(listing.call)
        return cls(listed.data, listed.has_more, listing, sender)

    async def next_page(self) -> AsyncPage[Item] | None:
        """The page behind this one; None if this is the last."""
        return await AsyncPage.asked_for(self._sender, self._listing.behind(self.data[-1])) if self.has_more else None

    async def __aiter__(self) -> AsyncIterator[Item]:
        """Go through this page and all behind it."""
        page: AsyncPage[Item] | None = self
        while page is not None:
            for item in page.data:
                yield item
            page = await page.next_page()
