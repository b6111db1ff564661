"""Sink: rows on their way out, as bytes that are only ever appended, and the finished file that they become.

CSV, NDJSON and Arrow streams grow as they are. A Parquet or Arrow file ends with a table of contents, which cannot be
appended to: its rows grow as an Arrow stream, and become the file at the end.
"""

from __future__ import annotations

import csv
import io
import os
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from ekiben.errors import TableError
from ekiben.score.ndjson_source import RAW

if TYPE_CHECKING:
    from pathlib import Path

    from ekiben.score.form import Form

GROUP_ROWS = 100_000
"""Rows of a row group of Parquet, and of a batch of an Arrow file."""

END_OF_STREAM = b"\xff\xff\xff\xff\x00\x00\x00\x00"

_encode_lines = msgspec.json.Encoder().encode_lines


class Sink:
    """What is written, in one of the forms.

    Args:
        form: What the finished file is.
        schema: The columns, as an Arrow schema.

    Raises:
        TableError: The form cannot hold one of the columns.
    """

    def __init__(self, form: Form, schema: Any) -> None:
        self.form = form
        self.schema = schema
        if form == "csv":
            _check_flat(schema)

    def head(self) -> bytes:
        """Return what comes before the first row."""
        if self.form == "ndjson":
            return b""
        if self.form == "csv":
            return csv_line(self.schema.names)
        return bytes(self.schema.serialize())

    def encode(self, table: Any) -> bytes:
        """Return the rows of `table`, which has the schema of the sink."""
        if not len(table):
            return b""
        if self.form == "csv":
            out = io.BytesIO()
            pa_csv.write_csv(table, out, pa_csv.WriteOptions(include_header=False))
            return out.getvalue()
        if self.form == "ndjson":
            return _encode_lines(_records(table))
        return b"".join(bytes(batch.serialize()) for batch in table.combine_chunks().to_batches())

    def finish(self, grown: Path, target: Path) -> None:
        """Make the finished file out of what has grown; the file appears as a whole or not at all.

        Args:
            grown: Head and rows.
            target: The finished file, in a folder on the same disk.
        """
        if self.form in {"csv", "ndjson"}:
            made = grown
        elif self.form == "arrows":
            with grown.open("ab") as file:
                file.write(END_OF_STREAM)
            made = grown
        else:
            made = grown.with_name("finished")
            self._rewrite(grown, made)
        with made.open("rb+") as file:
            os.fsync(file.fileno())
        made.replace(target)
        sync_folder(target.parent)

    def _rewrite(self, grown: Path, made: Path) -> None:
        with grown.open("ab") as file:
            file.write(END_OF_STREAM)
        with (
            pa.OSFile(str(grown)) as source,
            pa.ipc.open_stream(source) as reader,
            self._writer(made) as writer,
        ):
            held: list[Any] = []
            rows = 0
            for batch in reader:
                held.append(batch)
                rows += batch.num_rows
                if rows >= GROUP_ROWS:
                    writer.write_table(pa.Table.from_batches(held).combine_chunks())
                    held, rows = [], 0
            if held:
                writer.write_table(pa.Table.from_batches(held).combine_chunks())

    def _writer(self, made: Path) -> Any:
        if self.form == "parquet":
            return pq.ParquetWriter(made, self.schema)
        return pa.ipc.new_file(str(made), self.schema)


def csv_line(cells: list[str]) -> bytes:
    r"""Return one line of a CSV file.

    >>> csv_line(["id", 'say "hi", twice'])
    b'id,"say ""hi"", twice"\n'
    """
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue().encode()


def sync_folder(folder: Path) -> None:
    """Make sure that the names in `folder` survive a loss of power, where the system can promise it."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _check_flat(schema: Any) -> None:
    for field in schema:
        if pa.types.is_nested(field.type):
            raise TableError(
                f"column {field.name!r} holds {field.type}, which CSV has no form for; write to .parquet or .ndjson, or "
                "leave it out with --keep none"
            )


def _records(table: Any) -> list[dict[str, Any]]:
    names = table.schema.names
    columns = [
        [None if text is None else msgspec.Raw(text.encode()) for text in table[field.name].to_pylist()]
        if field.metadata and RAW in field.metadata
        else table[field.name].to_pylist()
        for field in table.schema
    ]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
