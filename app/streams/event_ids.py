"""The ids of events: where a stream is, as a text that a client sends back to go on there.

A stream of named jobs has the place in each of them, in the order of the jobs' ids, and a digest of these: an id of
another stream is not taken. A stream of a project has the number of an event, and the places in the jobs under way.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache

from domain.jobs.following import Place

_PLACE = r"-?\d{1,19}\.\d{1,10}e?"
_NAMED = re.compile(rf"([0-9a-f]{{8}}):({_PLACE}(?:~{_PLACE})*)")
_OF_PROJECT = re.compile(rf"all:(\d{{1,19}})((?:~[A-Za-z0-9_-]{{1,64}}@{_PLACE})*)")


class NoSuchPlace(Exception):
    """The text is no id of an event of such a stream."""


def of_named(places: Mapping[str, Place]) -> str:
    """The id of an event of a stream of these jobs."""
    in_order = tuple(sorted(places))
    return f"{_digest(in_order)}:{'~'.join(_text(places[job_id]) for job_id in in_order)}"


def named_places(text: str, job_ids: list[str]) -> dict[str, Place]:
    """The places that `of_named` has made a text of.

    Raises:
        NoSuchPlace: it is none, or of other jobs than these.
    """
    in_order = tuple(sorted(job_ids))
    found = _NAMED.fullmatch(text)
    places = found[2].split("~") if found else []
    if found is None or found[1] != _digest(in_order) or len(places) != len(in_order):
        raise NoSuchPlace
    return {job_id: _place(place) for job_id, place in zip(in_order, places, strict=True)}


def of_project(number: int, places: Mapping[str, Place]) -> str:
    """The id of an event of a project's stream."""
    return f"all:{number}{''.join(f'~{job_id}@{_text(place)}' for job_id, place in places.items())}"


def project_places(text: str) -> tuple[int, dict[str, Place]]:
    """The number and the places that `of_project` has made a text of.

    Raises:
        NoSuchPlace: it is none.
    """
    found = _OF_PROJECT.fullmatch(text)
    if found is None:
        raise NoSuchPlace
    pairs = (each.split("@") for each in found[2].split("~")[1:])
    return int(found[1]), {job_id: _place(place) for job_id, place in pairs}


def _text(place: Place) -> str:
    return f"{place.iteration}.{place.sequence}{'e' if place.knows_end else ''}"


def _place(text: str) -> Place:
    iteration, _, sequence = text.removesuffix("e").partition(".")
    if not (-1 <= int(iteration) < 2**63 and int(sequence) < 2**31):
        raise NoSuchPlace
    return Place(int(iteration), int(sequence), text.endswith("e"))


@lru_cache(maxsize=1_000)
def _digest(job_ids: tuple[str, ...]) -> str:
    return hashlib.sha256(" ".join(job_ids).encode()).hexdigest()[:8]
