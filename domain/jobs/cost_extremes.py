"""Where J is least and greatest, so that a thinned curve costs what it returns and not what the job has.

Beside the cost rows stands a pyramid: the extremes of each whole block of 32, 64, 128, … iterations, counted from
iteration 0. A block is stored with the row that completes it, and never changes. What a batch of rows lacks of a block
is read back, so nothing is remembered between batches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, and_, delete, or_, select, union_all
from sqlalchemy.orm import Session

from infra import bulk_insert
from infra.tables import CostExtremes, CostRow

BLOCK = 32
"""Iterations. The smallest blocks have so many. Curves that are cut into shorter stretches are read row by row."""

LEVELS = 26
"""Sizes of blocks. 32 · 2²⁵ iterations are more than a job may have."""

_COLUMNS = ("least_at", "least", "greatest_at", "greatest")


def add(session: Session, job_id: str, iteration: int, J: Sequence[float]) -> None:
    """Store the blocks that new rows complete.

    Args:
        session: of the transaction that has added the rows.
        job_id: whose they are.
        iteration: of the first of them.
        J: of each, in order.
    """
    start = iteration // BLOCK
    if (iteration + len(J)) // BLOCK == start:
        return
    begun = session.scalars(
        select(CostRow.cost)
        .where(CostRow.job_id == job_id, CostRow.iteration >= start * BLOCK, CostRow.iteration < iteration)
        .order_by(CostRow.iteration)
    )
    blocks = _of_rows(start, [*begun, *J])
    for level in range(LEVELS):
        _store(session, job_id, level, blocks)
        halves = _with_first_half(session, job_id, level, blocks)
        if len(halves.least) < 2:  # a half waits for its other one
            return
        blocks = _of_halves(halves)


def remove_from(session: Session, job_id: str, iteration: int) -> None:
    """Remove the blocks that have rows from that iteration on."""
    for level in range(LEVELS):
        session.execute(
            delete(CostExtremes).where(
                CostExtremes.job_id == job_id,
                CostExtremes.level == level,
                CostExtremes.block >= iteration // (BLOCK << level),
            )
        )


def thin(session: Session, job_id: str, iteration: int, resumes_at: int) -> None:
    """Remove the blocks below an iteration whose rows have been thinned.

    What a job needs to go on stays: of each size the last block before the iteration that it would begin with.

    Args:
        session: of the transaction that has thinned the rows.
        job_id: whose.
        iteration: the rows below it are thinned.
        resumes_at: the iteration that the job would begin with if it were resumed.
    """
    for level in range(LEVELS):
        size = BLOCK << level
        session.execute(
            delete(CostExtremes).where(
                CostExtremes.job_id == job_id,
                CostExtremes.level == level,
                CostExtremes.block < iteration // size,
                CostExtremes.block != resumes_at // size - 1,
            )
        )


def remove_first(session: Session, job_id: str, count: int) -> bool:
    """Remove the first blocks of a job that has been deleted, so many at most; tells whether more are left."""
    place = CostExtremes.level, CostExtremes.block
    query = select(*place).where(CostExtremes.job_id == job_id).order_by(*place)
    next_one = session.execute(query.offset(count).limit(1)).one_or_none()
    removed = delete(CostExtremes).where(CostExtremes.job_id == job_id)
    if next_one is not None:
        level, block = next_one
        before = and_(CostExtremes.level == level, CostExtremes.block < block)
        removed = removed.where(or_(CostExtremes.level < level, before))
    session.execute(removed)
    return next_one is not None


def find(session: Session, job_id: str, first: int, last: int, stretch: int, thinned_before: int = 0) -> set[int]:
    """The iterations from `first` to `last`, which have rows, where J is least and greatest in its stretch.

    Args:
        session: where to read. It reads a block for each stretch, but rows where stretches are shorter than blocks, and
            for the two stretches that are cut off by the range some smaller blocks and less than 64 rows.
        job_id: whose rows.
        first: of the range.
        last: of the range.
        stretch: how many iterations, counted from iteration 0, are a stretch: a power of two.
        thinned_before: below it only some rows are left, and no blocks. They are few, and are read.

    Returns:
        Of equal J the first iteration.
    """
    complete_from = min(max(first, thinned_before), last + 1)
    pieces = [_piece(job_id, *part) for part in _unless_empty(1, first, complete_from)]
    pieces += [_piece(job_id, *part) for part in _parts(complete_from, last + 1, stretch)]
    least_at, least, greatest_at, greatest = (
        np.array(column) for column in zip(*session.execute(union_all(*pieces)), strict=True)
    )
    return _first_of_each_stretch(least_at, least, stretch) | _first_of_each_stretch(greatest_at, -greatest, stretch)


class _Blocks(NamedTuple):
    """Extremes of consecutive blocks of one size: `start` is the first one's number, the others have one value a block.

    Attributes:
        least_at: (blocks,) int64, the iteration where J is least, of equal ones the first.
        least: (blocks,) float64, J there.
        greatest_at: likewise where J is greatest.
        greatest: J there.
    """

    start: int
    least_at: NDArray[np.int64]
    least: NDArray[np.float64]
    greatest_at: NDArray[np.int64]
    greatest: NDArray[np.float64]


def _of_rows(start: int, J: Sequence[float]) -> _Blocks:
    """The whole blocks among rows that begin with the block of that number."""
    whole = len(J) // BLOCK
    at = np.arange(start * BLOCK, (start + whole) * BLOCK).reshape(whole, BLOCK)
    values = np.array(J[: whole * BLOCK], np.float64).reshape(whole, BLOCK)
    return _Blocks(start, *_at_least(at, values), *_at_greatest(at, values))


def _of_halves(halves: _Blocks) -> _Blocks:
    """Blocks of twice the size. A last half without its other one is left out; the first is a first half."""
    whole = len(halves.least) // 2
    least_at, least, greatest_at, greatest = (column[: 2 * whole].reshape(whole, 2) for column in halves[1:])
    return _Blocks(halves.start // 2, *_at_least(least_at, least), *_at_greatest(greatest_at, greatest))


def _at_least(at: NDArray[Any], values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The first least value of each row, and what stands in `at` at its place."""
    place = values.argmin(axis=1)[:, np.newaxis]
    return np.take_along_axis(at, place, 1)[:, 0], np.take_along_axis(values, place, 1)[:, 0]


def _at_greatest(at: NDArray[Any], values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    where, value = _at_least(at, -values)
    return where, -value


def _store(session: Session, job_id: str, level: int, blocks: _Blocks) -> None:
    count = len(blocks.least)
    columns: dict[str, list[Any]] = {
        "level": [level] * count,
        "block": list(range(blocks.start, blocks.start + count)),
        **{name: column.tolist() for name, column in zip(_COLUMNS, blocks[1:], strict=True)},
    }
    bulk_insert.insert(session, CostExtremes.__tablename__, job_id, columns)


def _with_first_half(session: Session, job_id: str, level: int, blocks: _Blocks) -> _Blocks:
    """The blocks, and before them the first half of what the first is the second half of, if it is one."""
    if blocks.start % 2 == 0:
        return blocks
    before = session.execute(_piece(job_id, BLOCK << level, blocks.start - 1, blocks.start)).one()
    columns = (np.concatenate([[value], column]) for value, column in zip(before, blocks[1:], strict=True))
    return _Blocks(blocks.start - 1, *columns)


def _parts(start: int, stop: int, stretch: int) -> Iterator[tuple[int, int, int]]:
    """What iterations from `start` up to `stop` are made of: blocks as large as fit, but none larger than a stretch.

    Yields:
        Size of the blocks (1: rows), number of the first, number of the one after the last.
    """
    sizes = [1, *(BLOCK << level for level in range(LEVELS) if BLOCK << level <= stretch)]
    for size, larger in pairwise(sizes):
        inner_start = min(-(-start // larger) * larger, stop)
        inner_stop = max(stop // larger * larger, inner_start)
        yield from _unless_empty(size, start, inner_start)
        yield from _unless_empty(size, inner_stop, stop)
        start, stop = inner_start, inner_stop
    yield from _unless_empty(sizes[-1], start, stop)


def _unless_empty(size: int, start: int, stop: int) -> Iterator[tuple[int, int, int]]:
    if start < stop:
        yield size, start // size, stop // size


def _piece(job_id: str, size: int, start: int, stop: int) -> Select[Any]:
    """Extremes of the blocks from number `start` up to `stop`; a row is the least and the greatest of itself."""
    if size == 1:
        row: tuple[Any, ...] = (
            CostRow.iteration,
            CostRow.cost,
            CostRow.iteration.label("_at"),
            CostRow.cost.label("_greatest"),
        )
        return select(*row).where(CostRow.job_id == job_id, CostRow.iteration >= start, CostRow.iteration < stop)
    return select(*(getattr(CostExtremes, name) for name in _COLUMNS)).where(
        CostExtremes.job_id == job_id,
        CostExtremes.level == (size // BLOCK).bit_length() - 1,
        CostExtremes.block >= start,
        CostExtremes.block < stop,
    )


def _first_of_each_stretch(at: NDArray[Any], values: NDArray[Any], stretch: int) -> set[int]:
    """Of each stretch the iteration with the least value, of equal ones the first."""
    order = np.lexsort((at, values, at // stretch))
    _, first = np.unique((at // stretch)[order], return_index=True)
    found: list[int] = at[order][first].tolist()
    return set(found)
