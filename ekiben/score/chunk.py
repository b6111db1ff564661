"""Chunk: a part of the rows, cut at the same row numbers whatever pieces the file comes in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    Positions = np.ndarray[Any, np.dtype[np.int64]]

Refused = dict[int, str]
"""Why rows were refused, by their place in the table that they came in."""


@dataclass
class Piece:
    """Some rows as they were read.

    Args:
        data: The rows that could be read.
        positions: Their numbers in the file, counted from 0, in order.
        stop: Every row before this number has come, in this piece or in an earlier one.
        refused: Rows that could not even be read: why, by their number. They may be told ahead of their turn.
    """

    data: Any
    positions: Positions
    stop: int
    refused: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Chunk:
    """The rows `start` to `stop` of a file.

    Args:
        start: The number of the first row.
        stop: The number after the last one.
        data: Those that could be read.
        positions: Their numbers.
        refused: Why the others could not be read, by their number.
    """

    start: int
    stop: int
    data: Any
    positions: Positions
    refused: dict[int, str]


def chunks(
    pieces: Iterable[Piece], rows: int, start: int, join: Callable[[Sequence[Any]], Any]
) -> Iterator[Chunk]:
    """Yield chunks of `rows` rows each, the last one shorter, from row `start` on.

    Args:
        pieces: Rows in order; they may begin before `start`.
        rows: Rows of a chunk, those that cannot be read included.
        start: The first row that is wanted.
        join: Makes one table of several, or of none.
    """
    held: list[Piece] = []
    refused: dict[int, str] = {}
    known = start
    for piece in pieces:
        held.append(piece)
        refused |= {row: why for row, why in piece.refused.items() if row >= start}
        known = max(known, piece.stop)
        while known >= start + rows:
            yield _cut(held, refused, start, start + rows, join)
            start += rows
            held = [part for part in held if part.stop > start]
            refused = {row: why for row, why in refused.items() if row >= start}
    if start < known:
        yield _cut(held, refused, start, known, join)


def _cut(
    held: list[Piece],
    refused: dict[int, str],
    start: int,
    stop: int,
    join: Callable[[Sequence[Any]], Any],
) -> Chunk:
    parts: list[Any] = []
    positions: list[Positions] = [np.empty(0, dtype=np.int64)]
    for piece in held:
        first, last = np.searchsorted(piece.positions, [start, stop]).tolist()
        if first < last:
            parts.append(piece.data.slice(first, last - first))
            positions.append(piece.positions[first:last])
    here = {row: why for row, why in refused.items() if row < stop}
    return Chunk(start, stop, join(parts), np.concatenate(positions), here)
