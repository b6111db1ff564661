"""The JSON Schema says what the decoder does."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signature_tables import frames, learn, mutated, records

from ekiben.errors import InputError
from ekiben.signature import Column, Output, Signature

KEYWORDS = {
    "$schema", "title", "description", "type", "properties", "required", "additionalProperties", "examples", "enum",
    "minimum", "maximum", "format",
}  # fmt: skip
TYPES = {
    "object": dict, "string": str, "boolean": bool, "null": type(None), "array": list, "integer": int,
    "number": (int, float),
}  # fmt: skip


def fits(value: Any, schema: dict[str, Any]) -> bool:
    """Return whether `value` is valid, by the keywords that Ekiben uses; an unknown keyword is an error."""
    assert set(schema) <= KEYWORDS, set(schema) - KEYWORDS
    types = schema.get("type", list(TYPES))
    types = [types] if isinstance(types, str) else types
    if not any(
        isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))
        for name in types
    ):
        return False
    if "enum" in schema and not any(
        value == one and isinstance(value, bool) == isinstance(one, bool) for one in schema["enum"]
    ):
        return False
    if isinstance(value, (int, float)) and not schema.get("minimum", value) <= value <= schema.get(
        "maximum", value
    ):
        return False
    if not isinstance(value, dict) or "properties" not in schema:
        return True
    if not set(schema["required"]) <= set(value):
        return False
    known = schema["properties"]
    return all(
        fits(one, known[name]) if name in known else schema["additionalProperties"]
        for name, one in value.items()
    )


@given(frames())
@settings(deadline=None, max_examples=100)
def test_the_typical_row_and_those_of_training_are_valid(frame):
    signature = learn(frame)
    schema = json.loads(json.dumps(signature.json_schema(), allow_nan=False))
    assert all(fits(record, schema) for record in [*schema["examples"], *records(frame)])
    for part in schema["properties"].values():
        assert all(fits(value, part) for value in part["examples"])


@given(st.data())
@settings(deadline=None, max_examples=100)
def test_what_the_decoder_accepts_is_valid(data):
    frame = data.draw(frames(max_rows=2))
    signature = learn(frame, extra=data.draw(st.sampled_from(["error", "ignore"])))
    for record in records(frame):
        changed = data.draw(mutated(record))
        try:
            signature.decoder().decode(json.dumps(changed).encode())
        except InputError:
            continue
        assert fits(changed, signature.json_schema())


def property_of(**parts):
    column = Column(name="x", **parts)
    return Signature((column,), Output(kind="number")).json_schema()["properties"]["x"]


def test_a_column_that_may_miss_values_may_be_null_and_is_not_required():
    frame = pd.DataFrame({"a": [1.5, None], "b": [1, 2]})
    schema = learn(frame).json_schema()
    assert schema["properties"]["a"]["type"] == ["number", "null"]
    assert schema["required"] == ["b"]


def test_properties_stand_in_the_order_of_the_columns():
    frame = pd.DataFrame({"z": [1], "a": [1], "Air temperature [K]": [1]})
    assert list(learn(frame).json_schema()["properties"]) == ["z", "a", "Air temperature [K]"]


def test_bounds_units_and_descriptions_are_told():
    part = property_of(
        kind="float",
        dtype="float64",
        lower=0,
        upper=400,
        unit="K",
        description="Of the air.",
        minimum=295.0,
        maximum=304.5,
    )
    assert (part["minimum"], part["maximum"]) == (0, 400)
    assert part["description"] == "Of the air. In K. In training from 295 to 304.5."


def test_categories_are_listed_unless_others_pass():
    options = {"kind": "category", "dtype": "str", "categories": ("a", "b")}
    assert property_of(**options)["enum"] == ["a", "b"]
    assert property_of(**options, nullable=True)["enum"] == ["a", "b", None]
    assert "enum" not in property_of(**options, unseen="pass")


@pytest.mark.parametrize(
    ("categories", "types"),
    [((1, 2), "integer"), ((0.5, 1), "number"), (("a", 1), ["integer", "string"]), (("a",), "string")],
)
def test_categories_say_their_types(categories, types):
    assert property_of(kind="category", dtype="category", categories=categories)["type"] == types


def test_timestamps_say_their_format_and_whether_they_have_an_offset():
    assert property_of(kind="timestamp", dtype="datetime64[us]")["format"] == "date-time"
    assert "Without an offset" in property_of(kind="timestamp", dtype="datetime64[us]")["description"]
    assert "With its offset" in property_of(kind="timestamp", dtype="datetime64[us, UTC]")["description"]


def test_other_columns_are_allowed_where_they_are_ignored():
    frame = pd.DataFrame({"a": [1]})
    assert learn(frame).json_schema()["additionalProperties"] is False
    assert learn(frame, extra="ignore").json_schema()["additionalProperties"] is True


@pytest.mark.parametrize(
    ("output", "good", "bad"),
    [
        (Output(kind="label", classes=(0, 1)), [{"prediction": 1}], [{"prediction": 2}, {}]),
        (Output(kind="label", classes=("a", "b")), [{"prediction": "a"}], [{"prediction": 0}]),
        (
            Output(kind="number"),
            [{"prediction": 1.5}, {"prediction": 2}],
            [{"prediction": "2"}, {"prediction": None}],
        ),
        (Output(kind="score"), [{"prediction": -1.5}], [{"prediction": 1, "more": 2}]),
        (
            Output(
                kind="label",
                classes=(False, True),
                positive=True,
                available=("prediction", "probability", "probabilities", "score"),
            ),
            [
                {"prediction": True},
                {
                    "prediction": True,
                    "probability": 0.5,
                    "probabilities": {"false": 0.5, "true": 0.5},
                    "score": -3,
                },
            ],
            [
                {"prediction": True, "probability": 1.5},
                {"prediction": True, "probabilities": {"true": 1}},
                {"probability": 1},
            ],
        ),
        (Output(kind="probability", classes=(0, 1)), [{"prediction": 0.5}], [{"prediction": 1.5}]),
    ],
)
def test_the_schema_of_an_answer_says_what_may_be_in_it(output, good, bad):
    schema = Signature((Column(name="x", kind="float", dtype="float64"),), output).answer_schema()
    assert all(fits(answer, schema) for answer in good)
    assert not any(fits(answer, schema) for answer in bad)
