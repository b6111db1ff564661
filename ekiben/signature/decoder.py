"""Decoder: from the bytes of a request to rows, validated in one pass, with every problem if there is one."""

from __future__ import annotations

import codecs
import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

from ekiben.errors import MAX_GIVEN_CHARS, InputError, MalformedError, TooLargeError
from ekiben.signature.cell import Cell
from ekiben.signature.problems import Problems
from ekiben.signature.records import Records

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Literal

    from ekiben.signature.column import Column, Value

Row = tuple["Value", ...]

_BLANK = b" \t\n\r"
_TOO_DEEP = "the body is nested too deeply; expected a record, or a list of records"


class Request(msgspec.Struct, frozen=True, gc=False):
    """What a caller sent.

    Args:
        rows: One tuple of plain Python values for each record, in the order of the columns; None is a missing value.
        single: Whether it was one record, not a list of them: then the answer is one record too.
    """

    rows: list[tuple[Any, ...]]
    single: bool


class Decoder:
    """Turns JSON into rows; one pass decodes and validates.

    Args:
        columns: The columns of the signature.
        extra: What to do with a column that is not among them.

    >>> from ekiben.signature.column import Column
    >>> decoder = Decoder([Column(name="Torque [Nm]", kind="float", dtype="float64")])
    >>> decoder.decode(b'[{"Torque [Nm]": 42}]')
    Request(rows=[(42.0,)], single=False)
    """

    def __init__(self, columns: Sequence[Column], extra: Literal["error", "ignore"] = "error") -> None:
        self._cells = {column.name: Cell(column) for column in columns}
        self._records = Records(self._cells, extra)
        self._checks = tuple(
            (index, cell.check) for index, cell in enumerate(self._cells.values()) if cell.check is not None
        )
        # msgspec does not take a name that JSON would have to escape; such a signature goes the long way.
        self._fast = all(_is_plain(name) for name in self._cells)
        record: type[Any] = _struct(self._cells, extra) if self._fast else msgspec.Struct
        self._record: msgspec.json.Decoder[Any] = msgspec.json.Decoder(record)
        self._list: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list[record])  # type: ignore[valid-type]  # made above

    def decode(self, body: bytes, max_rows: int | None = None) -> Request:
        """Return the rows of `body`, one JSON record or a list of them.

        Args:
            body: The JSON.
            max_rows: How many rows are taken; more are not looked at one by one. None for any number.

        Raises:
            MalformedError: The body is not JSON, or holds neither.
            InputError: Rows do not fit; it lists every problem.
            TooLargeError: There are more rows than are taken.
        """
        first = body[:1]
        if first not in {b"{", b"["}:
            first = body.lstrip(_BLANK)[:1]
        try:
            if first == b"{":
                return self._one(body)
            if first == b"[":
                return self._many(body, max_rows)
            given = msgspec.json.decode(body)
        except msgspec.ValidationError:
            if first in {b"{", b"["}:
                return self._search(body, single=first == b"{", max_rows=max_rows)
            given = 0
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise _malformed(body, error) from None
        except RecursionError:
            raise MalformedError(_TOO_DEEP) from None
        kind = {str: "a text", bool: "a boolean", type(None): "null"}.get(type(given), "a number")
        raise MalformedError(f"the body is {kind}; expected a JSON record, or a list of records")

    def _one(self, body: bytes) -> Request:
        if not self._fast:
            return self._search(body, single=True)
        row = msgspec.structs.astuple(self._record.decode(body))
        if self._checks and not self._passes(row):
            return self._search(body, single=True)
        return Request([row], True)  # noqa: FBT003  positional is the faster call, and the class names the field

    def _many(self, body: bytes, max_rows: int | None) -> Request:
        if not self._fast:
            return self._search(body, single=False, max_rows=max_rows)
        records = self._list.decode(body)
        _check_count(len(records), max_rows)
        rows = list(map(msgspec.structs.astuple, records))
        if self._checks and not all(map(self._passes, rows)):
            return self._search(body, single=False)
        return Request(rows, False)  # noqa: FBT003  as above

    def _passes(self, row: Row) -> bool:
        return all(row[index] is None or check(row[index]) for index, check in self._checks)

    def _search(self, body: bytes, *, single: bool, max_rows: int | None = None) -> Request:
        """Go through every cell of `body` by itself, and find all that is wrong."""
        problems = Problems(single=single)
        try:
            records = [msgspec.Raw(body)] if single else _RAW_LIST.decode(body)
            _check_count(len(records), max_rows)
            rows = [self._search_record(index, raw, problems) for index, raw in enumerate(records)]
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise _malformed(body, error) from None
        except RecursionError:
            raise MalformedError(_TOO_DEEP) from None
        if problems.total:
            raise problems.error()
        if self._fast and not self._checks:
            raise _duplicates(body)
        return Request(rows, single)

    def _search_record(self, index: int, raw: msgspec.Raw, problems: Problems) -> Row:
        if not bytes(raw).lstrip(_BLANK).startswith(b"{"):
            problems.not_record(index, _quote_raw(raw))
            return ()
        return self._records.row(index, _RAW_RECORD.decode(raw), _take_raw, problems)


_NOT_FINITE = re.compile(rb"-?(?:NaN|nan|Infinity|inf)\b")
"""What many JSON writers make of a float that is not a number, or not finite."""

_RAW_LIST: msgspec.json.Decoder[list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw])
_RAW_RECORD: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw])


def _struct(cells: Mapping[str, Cell], extra: str) -> type[Any]:
    """Return the Struct whose decoder checks a whole record; its fields are c0, c1, ... under their real names."""
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    for index, cell in enumerate(cells.values()):
        field = f"c{index}"
        fields.append((field, cell.type | None, None) if cell.column.nullable else (field, cell.type))
    return msgspec.defstruct(
        "Row",
        fields,
        rename={f"c{index}": name for index, name in enumerate(cells)},
        kw_only=True,
        frozen=True,
        gc=False,
        forbid_unknown_fields=extra == "error",
    )


def _take_raw(index: int, cell: Cell, raw: msgspec.Raw, problems: Problems) -> Value:
    """Return the JSON value `raw` as a value of `cell`; what is wrong is noted, and None returned."""
    if bytes(raw) == b"null":
        if not cell.column.nullable:
            problems.null(index, cell)
        return None
    try:
        return cell.decode(raw)
    except msgspec.ValidationError:
        problems.wrong(index, cell, _plain(raw), _quote_raw(raw))
        return None


def _is_plain(name: str) -> bool:
    return not any(char < " " or char in '"\\' for char in name)


def _plain(raw: msgspec.Raw) -> object:
    """Return what `raw` holds, or None where Python has no value for it."""
    try:
        return msgspec.json.decode(raw)
    except msgspec.ValidationError:
        return None


def _quote_raw(raw: msgspec.Raw) -> str:
    text = bytes(raw)[: 4 * MAX_GIVEN_CHARS].decode(errors="replace").strip()
    return text if len(text) <= MAX_GIVEN_CHARS else text[: MAX_GIVEN_CHARS - 1] + "…"


def _duplicates(body: bytes) -> InputError:
    """Return the error for a name that stands twice in a record: the last one counts, but each has to be valid."""
    problems = Problems()

    def note(pairs: list[tuple[str, object]]) -> None:
        for name, count in Counter(name for name, _ in pairs).items():
            if count > 1:
                problems.other(
                    None, name, f"column {name!r} stands more than once in a record; write it once"
                )

    # The numbers do not matter here, and Python refuses to read some of them.
    json.loads(body, object_pairs_hook=note, parse_int=str, parse_float=str)
    return problems.error()


def _malformed(body: bytes, error: Exception) -> MalformedError:
    """Return the error that says what is not JSON, and where."""
    text = str(error)
    if isinstance(error, UnicodeDecodeError):
        text = "invalid UTF-8"
        try:
            body.decode()
        except UnicodeDecodeError as found:
            text += f" (byte {found.start})"
    elif not body.strip(_BLANK):
        text = "it is empty"
    elif body.startswith(codecs.BOM_UTF8):
        text = "it begins with a byte order mark (byte 0), which JSON does not have; leave it out"
    elif (number := _not_finite(body, text)) is not None:
        text = f"{number} is no JSON value; send null for a missing value"
    elif text == "Input data was truncated":
        text = f"it ends too early (byte {len(body)})"
    else:
        text = text.removeprefix("JSON is malformed: ")
    return MalformedError(f"the body is not JSON: {text}; expected a record, or a list of records")


def _check_count(rows: int, max_rows: int | None) -> None:
    if max_rows is not None and rows > max_rows:
        raise TooLargeError(
            f"{rows} rows in one request, but at most {max_rows} are taken; send them in several requests, or use "
            "`ekiben score`"
        )


def _not_finite(body: bytes, text: str) -> str | None:
    """Return which NaN or infinity stands where msgspec stopped, and where; None if it is something else."""
    place = re.search(r"\(byte (\d+)\)", text)
    if place is None:
        return None
    byte = int(place[1])
    found = _NOT_FINITE.search(body, max(0, byte - 2), byte + 12)
    return None if found is None else f"{found[0].decode()} (byte {byte})"
