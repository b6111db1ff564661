"""NDJSON: one JSON record in each line."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa

from ekiben.errors import TableError, quote
from ekiben.score.chunk import Piece

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from ekiben.score.chunk import Refused
    from ekiben.signature import Column, Signature

PIECE_LINES = 4096
"""Lines that are read in one go."""

RAW = b"ekiben.json"
"""Marks a column whose texts are JSON: what no single Arrow type holds."""

_decode = msgspec.json.Decoder().decode


class Records(list[dict[str, Any]]):
    """Records that are cut as Arrow tables are."""

    def slice(self, offset: int, length: int) -> Records:
        """Return `length` records from record `offset` on."""
        return Records(self[offset : offset + length])


class NdjsonSource:
    """A file with one JSON record in each line; empty lines are no rows.

    It is read once before anything else, to learn which columns there are and how many rows.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._row = 0
        self._chosen: set[str] | None = None
        found: dict[str, set[str]] = {}
        self.rows = 0
        for piece in self.pieces(0):
            self.rows = piece.stop
            for record in piece.data:
                for name, value in record.items():
                    found.setdefault(name, set()).add(_kind(value))
        if not self.rows:
            raise TableError(f"{path} is empty; expected one JSON record in each line")
        self._row = 0
        self._types = {name: _arrow_type(kinds) for name, kinds in found.items()}
        self.columns = {name: str(kind or "JSON") for name, kind in self._types.items()}

    def choose(self, names: Sequence[str]) -> None:
        """See `Source.choose`; a line is decoded as a whole all the same."""

    def done(self) -> float:
        """See `Source.done`."""
        return self._row / self.rows if self.rows else 0.0

    def pieces(self, start: int) -> Iterator[Piece]:
        """See `Source.pieces`."""
        row = 0
        with self.path.open("rb") as file:
            lines = (line for line in file if not line.isspace())
            while batch := list(itertools.islice(lines, PIECE_LINES)):
                stop = row + len(batch)
                if stop > start:
                    yield _piece(batch, row)
                row = self._row = stop

    def join(self, parts: Sequence[Records]) -> Records:
        """See `Source.join`."""
        return Records(itertools.chain.from_iterable(parts))

    def features(self, data: Records, signature: Signature) -> tuple[pd.DataFrame, Refused]:
        """See `Source.features`."""
        columns = {
            column.name: _series([record.get(column.name) for record in data], column)
            for column in signature.columns
        }
        return pd.DataFrame(columns, index=pd.RangeIndex(len(data))), {}

    def kept(self, data: Records, names: Sequence[str]) -> tuple[Any, Refused]:
        """See `Source.kept`."""
        schema = self.kept_schema(names)
        columns = [_array([record.get(name) for record in data], self._types[name]) for name in names]
        return pa.table(columns, schema=schema), {}

    def kept_schema(self, names: Sequence[str]) -> Any:
        """See `Source.kept_schema`: numbers, truths and texts; a column that holds other things is JSON as text."""
        return pa.schema(
            [
                pa.field(name, pa.string(), metadata={RAW: b"1"})
                if self._types[name] is None
                else pa.field(name, self._types[name])
                for name in names
            ]
        )


def _piece(lines: Sequence[bytes], row: int) -> Piece:
    records = Records()
    positions: list[int] = []
    refused: Refused = {}
    for number, line in enumerate(lines, row):
        try:
            record = _decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            refused[number] = f"the line is not JSON: {error}"
            continue
        if isinstance(record, dict):
            records.append(record)
            positions.append(number)
        else:
            refused[number] = f"the line is {quote(record)}; expected a JSON record"
    return Piece(records, np.array(positions, dtype=np.int64), row + len(lines), refused)


def _kind(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return "int" if -(2**53) <= value <= 2**53 else ("long" if -(2**63) <= value < 2**63 else "other")
    return {str: "str", float: "float", bool: "bool", type(None): "none"}.get(type(value), "other")


def _arrow_type(kinds: Iterable[str]) -> Any:
    """Return the type that holds values of all these kinds; None if there is none."""
    held = set(kinds) - {"none"}
    for allowed, kind in (
        ({"bool"}, pa.bool_()),
        ({"int", "long"}, pa.int64()),
        ({"int", "float"}, pa.float64()),
        ({"str"}, pa.string()),
    ):
        if held <= allowed and (held or kind == pa.string()):
            return kind
    return None


def _array(values: Sequence[object], kind: Any) -> Any:
    if kind is None:
        return pa.array(
            [None if value is None else msgspec.json.encode(value).decode() for value in values], pa.string()
        )
    return pa.array(values, kind)


def _series(values: list[object], column: Column) -> pd.Series[Any]:
    """Return the cells of a column, of a fast dtype where all of them are of the kind that the column holds."""
    kinds = set(map(type, values))
    if column.kind == "float" and kinds <= {float, int, type(None)}:
        try:
            return pd.Series(np.array(values, dtype=np.float64))
        except OverflowError:
            pass
    elif column.kind == "integer" and kinds <= {int, type(None)}:
        try:
            return pd.Series(pd.array(values, dtype="Int64"))  # type: ignore[call-overload]  # a list of int and None
        except (OverflowError, TypeError):
            pass
    elif column.kind == "boolean" and kinds <= {bool}:
        return pd.Series(np.array(values, dtype=np.bool_))
    return pd.Series(values, dtype=object)
