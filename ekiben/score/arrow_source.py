"""Parquet and Arrow: columns with types of their own."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ekiben.errors import TableError
from ekiben.score.chunk import Piece

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ekiben.score.chunk import Refused
    from ekiben.signature import Signature

BATCH_ROWS = 16_384
"""Rows that Parquet hands out at once."""


class _Columnar(abc.ABC):
    """What both have in common.

    Args:
        path: The file.
    """

    def __init__(self, path: Path, schema: Any, rows: int | None) -> None:
        self.path = path
        self.rows = rows
        self.columns = {field.name: str(field.type) for field in schema}
        if len(self.columns) < len(schema):
            twice = next(name for name in schema.names if schema.names.count(name) > 1)
            raise TableError(f"{path} has several columns called {twice!r}; give each its own name")
        self._schema = schema.remove_metadata()
        self._chosen = list(schema.names)
        self._row = 0

    def choose(self, names: Sequence[str]) -> None:
        """See `Source.choose`."""
        self._chosen = list(names)

    def done(self) -> float:
        """See `Source.done`."""
        return self._row / self.rows if self.rows else 0.0

    def pieces(self, start: int) -> Iterator[Piece]:
        """See `Source.pieces`."""
        try:
            for row, table in self._tables(start):
                self._row = row + len(table)
                yield Piece(table, np.arange(row, self._row, dtype=np.int64), self._row)
        except (pa.ArrowException, OSError) as error:
            raise TableError(f"{self.path} cannot be read behind row {self._row}: {error}") from None

    @abc.abstractmethod
    def _tables(self, start: int) -> Iterator[tuple[int, Any]]:
        """Yield tables with the number of their first row."""

    def join(self, parts: Sequence[Any]) -> Any:
        """See `Source.join`."""
        schema = pa.schema([self._schema.field(name) for name in self._chosen])
        return pa.concat_tables(parts) if parts else schema.empty_table()

    def features(self, data: Any, signature: Signature) -> tuple[pd.DataFrame, Refused]:
        """See `Source.features`."""
        columns = {name: _series(data[name]) for name in signature.names}
        return pd.DataFrame(columns, index=pd.RangeIndex(len(data))), {}

    def kept(self, data: Any, names: Sequence[str]) -> tuple[Any, Refused]:
        """See `Source.kept`."""
        return data.select(list(names)).cast(self.kept_schema(names)), {}

    def kept_schema(self, names: Sequence[str]) -> Any:
        """See `Source.kept_schema`: the types of the file, where all forms can hold them."""
        return pa.schema([pa.field(name, _plain(self._schema.field(name).type)) for name in names])


class ParquetSource(_Columnar):
    """A Parquet file.

    Args:
        path: The file.

    Raises:
        TableError: It is no Parquet file, or a column name stands twice.
    """

    def __init__(self, path: Path) -> None:
        try:
            with pq.ParquetFile(path) as file:
                super().__init__(path, file.schema_arrow, file.metadata.num_rows)
        except (pa.ArrowException, OSError) as error:
            raise TableError(f"{path} cannot be read as Parquet: {error}") from None

    def _tables(self, start: int) -> Iterator[tuple[int, Any]]:
        # Without these a row group of a million rows would be in memory as a whole.
        with pq.ParquetFile(path_text(self.path), pre_buffer=False, buffer_size=1 << 16) as file:
            row = 0
            groups: list[int] = []
            for group in range(file.num_row_groups):
                rows = file.metadata.row_group(group).num_rows
                if not groups and row + rows <= start:
                    row += rows
                else:
                    groups.append(group)
            for batch in file.iter_batches(BATCH_ROWS, row_groups=groups, columns=self._chosen):
                yield row, pa.Table.from_batches([batch]).select(self._chosen)
                row += batch.num_rows


class ArrowSource(_Columnar):
    """An Arrow IPC file, or a stream; which of them it is, it says itself.

    Args:
        path: The file.

    Raises:
        TableError: It is neither, or a column name stands twice.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._is_file = file.read(6) == b"ARROW1"
        try:
            with pa.memory_map(path_text(path)) as opened:
                reader = pa.ipc.open_file(opened) if self._is_file else pa.ipc.open_stream(opened)
                super().__init__(path, reader.schema, None)
        except (pa.ArrowException, OSError) as error:
            raise TableError(f"{path} cannot be read as Arrow: {error}") from None
        self._share = 0.0

    def done(self) -> float:
        """See `Source.done`."""
        return self._share

    def _tables(self, start: int) -> Iterator[tuple[int, Any]]:
        del start
        row = 0
        # Mapped, so that a batch of millions of rows need not be in memory as a whole.
        with pa.memory_map(path_text(self.path)) as opened:
            for batch in self._batches(opened):
                for part in range(0, batch.num_rows, BATCH_ROWS):
                    table = pa.Table.from_batches([batch.slice(part, BATCH_ROWS)])
                    yield row, table.select(self._chosen)
                    row += len(table)

    def _batches(self, opened: Any) -> Iterator[Any]:
        wanted = [index for index, name in enumerate(self._schema.names) if name in self._chosen]
        options = pa.ipc.IpcReadOptions(included_fields=wanted)
        if self._is_file:
            reader = pa.ipc.open_file(opened, options=options)
            for number in range(reader.num_record_batches):
                yield reader.get_batch(number)
                self._share = (number + 1) / reader.num_record_batches
            return
        size_bytes = max(opened.size(), 1)
        for batch in pa.ipc.open_stream(opened, options=options):
            yield batch
            self._share = opened.tell() / size_bytes


def path_text(path: Path) -> str:
    """Return a path as Arrow takes it."""
    return str(path)


def _series(column: Any) -> pd.Series[Any]:
    """Return a column for the check of frames; whole numbers and truths stay what they are where some are missing."""
    kind = column.type
    if pa.types.is_decimal(kind):
        column = column.cast(pa.float64())
    if column.null_count and pa.types.is_boolean(kind):
        return _mapped(column, pd.BooleanDtype())
    if column.null_count and pa.types.is_integer(kind):
        return _mapped(
            column.cast(_WIDE[pa.types.is_signed_integer(kind)]), _NULLABLE[pa.types.is_signed_integer(kind)]
        )
    series: pd.Series[Any] = column.to_pandas(date_as_object=False)
    return series


_WIDE = {True: pa.int64(), False: pa.uint64()}
_NULLABLE: dict[bool, Any] = {True: pd.Int64Dtype(), False: pd.UInt64Dtype()}


def _mapped(column: Any, dtype: Any) -> pd.Series[Any]:
    series: pd.Series[Any] = column.to_pandas(types_mapper={column.type: dtype}.get)
    return series


def _plain(kind: Any) -> Any:
    """Return the type that a column passes through as: dictionaries and views become what they hold."""
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    if pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_binary_view(kind):
        return pa.binary()
    return kind
