"""CSV: text, whose cells mean what the signature says."""

from __future__ import annotations

import codecs
import csv
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv

from ekiben.errors import TableError
from ekiben.score.cells import read_cells
from ekiben.score.chunk import Piece

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ekiben.score.chunk import Refused
    from ekiben.signature import Signature

BLOCK_BYTES = 1024 * 1024
"""What is read in one go; no row may be longer."""

MAX_HEADER_BYTES = 1024 * 1024

_SEPARATORS = (",", ";", "\t", "|")


class CsvSource:
    """A CSV file in UTF-8, names in its first line, separated by comma, semicolon, tab or bar.

    Where semicolons separate, `53,46` is a number as well as `53.46`, as `ekiben fit` takes it.

    A row with too many or too few cells, or one that is not UTF-8, is refused by itself. Empty lines are no rows, unless
    there is only one column.

    Args:
        path: The file.

    Raises:
        TableError: It has no line of names, or a name stands twice.
    """

    rows = None

    def __init__(self, path: Path) -> None:
        self.path = path
        self._separator, names = _header(path)
        self.columns = dict.fromkeys(names, "text")
        self._chosen = names
        self._size_bytes = max(path.stat().st_size, 1)
        self._read_bytes = 0

    def choose(self, names: Sequence[str]) -> None:
        """See `Source.choose`."""
        self._chosen = list(names)

    def done(self) -> float:
        """See `Source.done`."""
        return min(self._read_bytes / self._size_bytes, 1.0)

    def pieces(self, start: int) -> Iterator[Piece]:
        """See `Source.pieces`; all rows are read, since only reading tells where a row begins."""
        del start
        wrong: dict[int, str] = {}

        def refuse(row: pa_csv.InvalidRow) -> str:
            # The line of names is row 1.
            wrong[row.number - 2] = f"the row has {row.actual_columns} cells; expected {row.expected_columns}"
            return "skip"

        row = 0
        with self.path.open("rb") as raw:
            file = _Counted(raw)
            try:
                for batch in self._open(file, refuse):
                    self._read_bytes = file.size_bytes
                    positions = _free(row, batch.num_rows, wrong)
                    row = int(positions[-1]) + 1 if len(positions) else row
                    yield Piece(pa.Table.from_batches([batch]), positions, row, dict(wrong))
                    wrong = {number: why for number, why in wrong.items() if number >= row}
            except pa.ArrowInvalid as error:
                if "Empty CSV file" not in str(error):  # a line of names, and nothing more
                    raise TableError(
                        f"{self.path} cannot be read as CSV behind row {row}: {_in_words(str(error))}"
                    ) from None
        if file.quotes % 2:
            _check_closed(self.path, self._separator)
        last = max([row, *(number + 1 for number in wrong)])
        yield Piece(self.join([]), np.empty(0, dtype=np.int64), last, wrong)

    def _open(self, file: Any, refuse: Any) -> Any:
        return pa_csv.open_csv(
            pa.PythonFile(file, mode="r"),
            # Row numbers are only known without threads.
            read_options=pa_csv.ReadOptions(block_size=BLOCK_BYTES, use_threads=False),
            parse_options=pa_csv.ParseOptions(
                delimiter=self._separator,
                newlines_in_values=True,
                invalid_row_handler=refuse,
                ignore_empty_lines=len(self.columns) > 1,
            ),
            convert_options=pa_csv.ConvertOptions(
                # Bytes, so that a cell that is not UTF-8 is the trouble of its row, and not of the file.
                column_types=dict.fromkeys(self.columns, pa.binary()),
                include_columns=self._chosen,
                null_values=[""],
                strings_can_be_null=True,
            ),
        )

    def join(self, parts: Sequence[Any]) -> Any:
        """See `Source.join`."""
        schema = pa.schema([(name, pa.binary()) for name in self._chosen])
        return pa.concat_tables(parts) if parts else schema.empty_table()

    def features(self, data: Any, signature: Signature) -> tuple[pd.DataFrame, Refused]:
        """See `Source.features`."""
        refused: Refused = {}
        columns = {
            column.name: read_cells(
                _text(data[column.name], column.name, refused), column, decimal_comma=self._separator == ";"
            )
            for column in signature.columns
        }
        return pd.DataFrame(columns, index=pd.RangeIndex(len(data))), refused

    def kept(self, data: Any, names: Sequence[str]) -> tuple[Any, Refused]:
        """See `Source.kept`."""
        refused: Refused = {}
        columns = [_text(data[name], name, refused) for name in names]
        return pa.table(columns, schema=self.kept_schema(names)), refused

    def kept_schema(self, names: Sequence[str]) -> Any:
        """See `Source.kept_schema`: text, as it stands in the file."""
        return pa.schema([(name, pa.string()) for name in names])


class _Counted:
    """A file that counts its quotes while it is read: an odd number of them is a reason to look closer."""

    closed = False

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size_bytes = 0
        self.quotes = 0

    def read(self, size: int = -1) -> bytes:
        content = self._file.read(size)
        self.size_bytes += len(content)
        self.quotes += content.count(b'"')
        return content


def _check_closed(path: Path, separator: str) -> None:
    """Check that no quote is open at the end of the file: it would have swallowed all rows behind it.

    Raises:
        TableError: One is.
    """
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        rows = csv.reader(file, delimiter=separator, strict=True)
        begin = 0
        try:
            for _ in rows:
                begin = rows.line_num
        except csv.Error as error:
            if "unexpected end" in str(error) or "field larger" in str(error):
                raise TableError(
                    f"{path}: a quote that is opened behind line {begin} is never closed; close it, or double the quotes "
                    "that are meant as such"
                ) from None


def _in_words(error: str) -> str:
    if "straddling" in error:
        return f"a row is longer than {BLOCK_BYTES} bytes; is there a quote opened and never closed?"
    return error


def _header(path: Path) -> tuple[str, list[str]]:
    """Return the separator and the names: the separator is what cuts the first line into most pieces."""
    with path.open("rb") as file:
        head = file.read(MAX_HEADER_BYTES)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise TableError(
            f"{path} is UTF-16, not UTF-8; write it as UTF-8, for example with `iconv -f utf-16 -t utf-8`"
        )
    try:
        text = head.decode("utf-8-sig", errors="strict" if len(head) < MAX_HEADER_BYTES else "ignore")
    except UnicodeDecodeError:
        text = head.partition(b"\n")[0].decode("utf-8-sig", errors="replace") + "\n"
        if "\ufffd" in text:
            raise TableError(f"{path}: its first line is not UTF-8; write the file as UTF-8") from None
    lines = text.splitlines(keepends=True)
    found = [(next(csv.reader(lines, delimiter=separator), []), separator) for separator in _SEPARATORS]
    names, separator = max(found, key=lambda each: len(each[0]))
    if not names:
        raise TableError(f"{path} is empty; expected a line of column names, then one line for each row")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise TableError(f"{path} has several columns called {twice[0]!r}; give each its own name")
    return separator, names


def _free(start: int, count: int, taken: dict[int, str]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return the first `count` row numbers from `start` on that are not taken by rows that were skipped.

    >>> _free(3, 3, {4: "", 9: ""})
    array([3, 5, 6])
    """
    numbers = np.arange(start, start + count + len(taken), dtype=np.int64)
    return numbers[~np.isin(numbers, list(taken))][:count] if taken else numbers


def _text(cells: Any, name: str, refused: Refused) -> Any:
    """Return bytes as text; rows that are not UTF-8 are refused, and empty."""
    try:
        return cells.cast(pa.string())
    except pa.ArrowInvalid:
        pass
    texts: list[str | None] = []
    for row, cell in enumerate(cells.to_pylist()):
        try:
            texts.append(None if cell is None else cell.decode())
        except UnicodeDecodeError:
            texts.append(None)
            refused[row] = f"column {name!r} is {cell[:50]!r}; expected text in UTF-8"
    return pa.chunked_array([pa.array(texts, pa.string())])
