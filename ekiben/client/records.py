"""Records: rows as the JSON that a server takes, and answers out of the JSON that it gives."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec

from ekiben.client.answer import Answer
from ekiben.client.problem import not_understood
from ekiben.errors import MAX_GIVEN_CHARS, ClientError, InputError, Problem
from ekiben.signature.records import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ekiben.client.exchange import Call, Reply

_encode = msgspec.json.Encoder().encode
_answers: msgspec.json.Decoder[list[dict[str, Any]]] = msgspec.json.Decoder(list[dict[str, Any]])
_answer: msgspec.json.Decoder[dict[str, Any]] = msgspec.json.Decoder(dict[str, Any])


def plain_records(records: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    """Return `records` as plain Python, ready for `encode`.

    Values may be plain already, numpy scalars, timestamps, and what pandas, polars or numpy write for a missing one.

    Raises:
        InputError: A value has no JSON, such as infinity; it lists every one.

    >>> import numpy as np
    >>> plain_records([{"age": np.int32(41), "income": float("nan")}])
    [{'age': 41, 'income': None}]
    """
    try:
        return [
            {
                str(name): value if type(value) in _PLAIN else _sendable(value)
                for name, value in record.items()
            }
            for record in records
        ]
    except ValueError:
        raise _unsendable(records) from None


def encode(records: Sequence[Mapping[str, object]], *, single: bool) -> bytes:
    """Return plain `records` as JSON: one record if `single`, else a list.

    Raises:
        InputError: A value has no JSON; it lists every one.

    >>> import datetime as dt
    >>> encode([{"age": 41.0, "since": dt.date(2026, 1, 31), "income": None}], single=True)
    b'{"age":41.0,"since":"2026-01-31","income":null}'
    """
    try:
        return _encode(records[0] if single else records)
    except (TypeError, ValueError, OverflowError):
        raise _unsendable(records) from None


def decode(reply: Reply, call: Call, *, rows: int | None) -> list[Answer]:
    """Return the answers that `reply` holds.

    Args:
        reply: An answer with status 200.
        call: What was asked.
        rows: How many answers a list must have; None if a single answer is expected.

    Raises:
        ClientError: It is something else; a proxy may have answered.
    """
    try:
        found = [_answer.decode(reply.body)] if rows is None else _answers.decode(reply.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise not_understood(reply, call) from None
    if rows is not None and len(found) != rows:
        raise ClientError(
            f"{rows} rows were sent, but {len(found)} answers came back", status=reply.status, url=call.url
        )
    request_id = reply.headers.get("x-prediction-id")
    model = reply.headers.get("x-model")
    if rows is None or request_id is None:
        return [Answer(values, id=request_id, model=model) for values in found]
    return [Answer(values, id=f"{request_id}-{index}", model=model) for index, values in enumerate(found)]


def moved(error: InputError, rows: int) -> InputError:
    """Return `error` as the caller numbers rows, whose part of the table began at row `rows`.

    >>> moved(InputError([Problem("row 1: column 'age' is null", row=1)]), 2000).problems[0].message
    "row 2001: column 'age' is null"
    """
    if rows == 0:
        return error
    problems = [
        problem
        if problem.row is None
        else msgspec.structs.replace(problem, row=problem.row + rows, message=_moved_text(problem, rows))
        for problem in error.problems
    ]
    return InputError(problems, error.total)


def unnumbered(error: InputError) -> InputError:
    """Return `error` as the caller of a single row reads it: there is no other row to tell it from."""
    problems = [
        msgspec.structs.replace(problem, message=problem.message.removeprefix("row 0: "))
        for problem in error.problems
    ]
    return InputError(problems, error.total)


def _moved_text(problem: Problem, rows: int) -> str:
    assert problem.row is not None
    return f"row {problem.row + rows}: {problem.message.removeprefix(f'row {problem.row}: ')}"


def _sendable(value: object) -> object:
    """Return `value` as a plain Python value.

    Raises:
        ValueError: It is infinite: JSON has no word for that, and null would be another value.
    """
    value = plain(value)
    if isinstance(value, float) and math.isinf(value):
        raise ValueError("infinite")
    return value


_PLAIN = frozenset({str, int, bool, type(None)})


def _unsendable(records: Sequence[Mapping[str, object]]) -> InputError:
    problems = [
        Problem(
            message=f"row {index}: column {name!r} is {shown}, which JSON cannot hold",
            row=index,
            column=name,
            given=shown,
        )
        for index, record in enumerate(records)
        for name, value in record.items()
        if not _is_sendable(value)
        for shown in [repr(value)[:MAX_GIVEN_CHARS]]
    ]
    return InputError(problems)


def _is_sendable(value: object) -> bool:
    try:
        msgspec.json.encode(_sendable(value))
    except (TypeError, ValueError, OverflowError):
        return False
    return True
