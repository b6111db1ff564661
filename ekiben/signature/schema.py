"""Schema: the JSON Schema (2020-12) of a record and of an answer, made from the signature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ekiben.signature.cell import bounds, is_closed, number
from ekiben.signature.column import dtype_family

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ekiben.signature.column import Column
    from ekiben.signature.output import Output

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_TYPES = {
    "float": "number",
    "integer": "integer",
    "boolean": "boolean",
    "text": "string",
    "timestamp": "string",
}


def record_schema(columns: Sequence[Column], example: Mapping[str, Any], extra: str) -> dict[str, Any]:
    """Return the JSON Schema of one record.

    Args:
        columns: The columns, in the order of the properties.
        example: A typical row.
        extra: `error` forbids other properties.

    Returns:
        The schema, made of plain Python values.
    """
    return {
        "$schema": DIALECT,
        "title": "Record",
        "description": "One row of the model's input, by column name.",
        "type": "object",
        "properties": {column.name: column_schema(column, example) for column in columns},
        "required": [column.name for column in columns if not column.nullable],
        "additionalProperties": extra != "error",
        **({"examples": [dict(example)]} if example else {}),
    }


def column_schema(column: Column, example: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of the values of `column`."""
    schema: dict[str, Any] = {"title": column.name, "description": _description(column)}
    types = _types(column)
    if column.nullable:
        types.append("null")
    schema["type"] = types[0] if len(types) == 1 else types
    if is_closed(column):
        schema["enum"] = [*(column.categories or ()), *([None] if column.nullable else [])]
    if column.kind in {"float", "integer"}:
        low, high = bounds(column)
        schema.update({} if low is None else {"minimum": low})
        schema.update({} if high is None else {"maximum": high})
    if column.kind == "timestamp":
        schema["format"] = "date-time"
    if column.name in example:
        schema["examples"] = [example[column.name]]
    return schema


def answer_schema(output: Output) -> dict[str, Any]:
    """Return the JSON Schema of one answer: every field that is available, those always given as required."""
    return {
        "$schema": DIALECT,
        "title": "Answer",
        "description": output.description or f"What the model says about {output.name}.",
        "type": "object",
        "properties": {field: _field_schema(output, field) for field in output.available},
        "required": ["prediction"],
        "additionalProperties": False,
    }


def _types(column: Column) -> list[str]:
    if column.kind != "category":
        return [_TYPES[column.kind]]
    kinds = {type(one) for one in column.categories or ()}
    if float in kinds:
        return ["number"]
    return [name for kind, name in ((int, "integer"), (str, "string")) if kind in kinds]


def _description(column: Column) -> str:
    """Return the words of people, the unit, and what training saw."""
    parts = [column.description.rstrip(".")] if column.description else []
    if column.unit:
        parts.append(f"In {column.unit}")
    if column.minimum is not None and column.maximum is not None:
        low, high = (one if isinstance(one, str) else number(one) for one in (column.minimum, column.maximum))
        parts.append(f"In training from {low} to {high}")
    if column.kind == "timestamp":
        aware = dtype_family(column.dtype) == "datetime" and "," in column.dtype
        parts.append("With its offset from UTC" if aware else "Without an offset")
    return ". ".join([*parts, ""]).strip() or f"A {column.kind}."


def _field_schema(output: Output, field: str) -> dict[str, Any]:
    if field == "prediction":
        return _prediction_schema(output)
    if field == "probability":
        return {"type": "number", "minimum": 0, "maximum": 1, "description": f"That of {output.positive!r}."}
    if field == "probabilities":
        share = {"type": "number", "minimum": 0, "maximum": 1}
        return {
            "type": "object",
            "description": "The probability of each class.",
            "properties": dict.fromkeys(output.keys, share),
            "required": list(output.keys),
            "additionalProperties": False,
        }
    return {"type": "number", "description": "The decision function."}


def _prediction_schema(output: Output) -> dict[str, Any]:
    described = {"title": output.name} | ({"description": f"In {output.unit}."} if output.unit else {})
    if output.kind == "label":
        return {**described, "enum": list(output.classes or ())}
    if output.kind == "probability":
        return {**described, "type": "number", "minimum": 0, "maximum": 1}
    return {**described, "type": "number"}
