"""Columns: answers as columns of a table, the same ones wherever a table is scored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np

from ekiben.errors import ClientError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ekiben.signature.output import Field, Output

AnswerKind: TypeAlias = Literal["float", "integer", "boolean", "text"]

DTYPES: dict[AnswerKind, Any] = {
    "float": np.float64,
    "integer": np.int64,
    "boolean": np.bool_,
    "text": np.object_,
}


class AnswerColumn(NamedTuple):
    """One column of answers.

    Args:
        name: What it is called in the table: `prediction`, `probability`, `probability_bad`, `score`.
        kind: What it holds.
        field: The field of an answer that it comes from.
        position: Of which class a probability is, by its place among the classes; 0 for the other fields.
    """

    name: str
    kind: AnswerKind
    field: Field
    position: int = 0


def answer_columns(output: Output, fields: Sequence[str] | None = None) -> tuple[AnswerColumn, ...]:
    """Return the columns that answers become.

    Args:
        output: What the model answers.
        fields: The fields asked for; None for those that the signature names. `prediction` is always there.

    Raises:
        InputError: The model cannot answer one of them.

    >>> from ekiben.signature.output import Output
    >>> output = Output(kind="label", classes=("bad", "good"), fields=("prediction", "probabilities"),
    ...                 available=("prediction", "probability", "probabilities"))
    >>> [column.name for column in answer_columns(output)]
    ['prediction', 'probability_bad', 'probability_good']
    """
    columns: list[AnswerColumn] = []
    for field in output.choose(fields):
        if field == "probabilities":
            names = [f"probability_{key}" for key in output.keys]
            columns += [AnswerColumn(name, "float", field, place) for place, name in enumerate(names)]
        elif field == "probability":
            columns.append(AnswerColumn(field, "float", field, _positive(output)))
        else:
            columns.append(AnswerColumn(field, _kind(output) if field == "prediction" else "float", field))
    return tuple(columns)


def arrays(
    answers: Iterable[Mapping[str, Any]], columns: Sequence[AnswerColumn]
) -> dict[str, np.ndarray[Any, Any]]:
    """Return the values of each column as one array, rows in order; text as an array of str.

    Raises:
        ClientError: An answer does not have what the signature promises.
    """
    rows = list(answers)
    try:
        return {column.name: _array(rows, column) for column in columns}
    except (KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
        raise ClientError(
            f"an answer is not what the model's signature promises ({type(error).__name__}: {error})"
        ) from None


def _array(rows: Sequence[Mapping[str, Any]], column: AnswerColumn) -> np.ndarray[Any, Any]:
    if column.field == "probabilities":
        values = [list(row["probabilities"].values())[column.position] for row in rows]
    else:
        values = [row[column.field] for row in rows]
    if column.kind == "text":
        shared: dict[str, str] = {}
        return np.array([shared.setdefault(text, text) for text in map(str, values)], dtype=np.object_)
    return np.array(values, dtype=DTYPES[column.kind])


def _positive(output: Output) -> int:
    """Return the place of the class whose probability is meant: the second of two, unless another is named."""
    return 1 if output.positive is None else (output.classes or ()).index(output.positive)


def _kind(output: Output) -> AnswerKind:
    """Return what a prediction is: a label of the kind of the classes, else a number."""
    kinds = {type(label) for label in output.classes or ()} if output.kind != "probability" else set()
    if kinds == {bool}:
        return "boolean"
    if kinds == {int}:
        return "integer"
    return "float" if kinds <= {int, float} else "text"
