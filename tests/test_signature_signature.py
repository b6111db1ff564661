"""A signature is described, stored, read again, and costs nothing to import."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from signature_tables import frames, learn

import ekiben.signature
from ekiben.errors import InputError, ProtocolError, SignatureError
from ekiben.signature import PROTOCOL, Column, Output, Signature

PROTOCOL_1 = b"""{
  "columns": [
    {"name": "Air temperature [K]", "kind": "float", "dtype": "float64", "minimum": 295.3, "maximum": 304.5,
     "quantiles": [295.6, 296.2, 298.3, 300.1, 301.5, 303.5, 304.2], "lower": 0.0, "unit": "K"},
    {"name": "Type", "kind": "category", "dtype": "str", "categories": ["H", "L", "M"], "unseen": "pass"},
    {"name": "age", "kind": "integer", "dtype": "Int64", "nullable": true, "minimum": 18.0, "maximum": 90.0,
     "quantiles": [18.0, 20.0, 25.0, 41.0, 60.0, 80.0, 90.0], "description": "In whole years"},
    {"name": "size", "kind": "category", "dtype": "category[int32]", "categories": [1, 2], "ordered": true},
    {"name": "note", "kind": "text", "dtype": "object", "nullable": true, "missing": "none"},
    {"name": "at", "kind": "timestamp", "dtype": "datetime64[us, UTC]", "minimum": "2026-01-01T00:00:00+00:00",
     "maximum": "2026-01-31T00:00:00+00:00"}
  ],
  "output": {"kind": "label", "name": "Machine failure", "classes": [0, 1], "positive": 1,
             "fields": ["prediction", "probability"], "available": ["prediction", "probability", "probabilities"]},
  "example": {"Air temperature [K]": 300.1, "Type": "L", "age": 41, "size": 1, "note": null,
              "at": "2026-01-16T00:00:00+00:00"},
  "container": "pandas",
  "extra": "ignore",
  "protocol": 1
}"""
"""A stored form as the first protocol wrote it; it stays readable."""


def small(**options):
    frame = pd.DataFrame({"age": [20, 30, 41], "type": ["a", "b", "a"], "temp": [1.5, 2.5, np.nan]})
    return learn(frame, **options)


def test_a_signature_of_protocol_1_is_read():
    signature = Signature.from_json(PROTOCOL_1)
    assert signature.protocol == 1
    assert signature.names == ("Air temperature [K]", "Type", "age", "size", "note", "at")
    assert signature.columns[0].unit == "K"
    assert signature.output.classes == (0, 1)
    rows = signature.decoder().decode(json.dumps([signature.example]).encode()).rows
    assert signature.frame(rows).dtypes.astype(str).tolist() == [
        "float64", "str", "Int64", "category", "object", "datetime64[us, UTC]",
    ]  # fmt: skip
    assert Signature.from_json(signature.to_json()) == signature


@given(frames())
@settings(deadline=None, max_examples=100)
def test_what_is_stored_is_read_again(frame):
    signature = learn(frame)
    stored = signature.to_json()
    read = Signature.from_json(stored)
    assert read == signature
    assert read.to_json() == stored
    assert list(read.frame([]).dtypes) == list(frame.dtypes)
    json.loads(stored, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))


def test_a_newer_protocol_is_refused_whatever_else_it_says():
    newer = {"protocol": PROTOCOL + 1, "columns": "in another form"}
    with pytest.raises(ProtocolError, match="install a newer Ekiben"):
        Signature.from_json(json.dumps(newer))


@pytest.mark.parametrize(
    "stored",
    [
        b"", b"{", b"[]", b"{}", b'{"protocol":"1"}', b"\xff", b"[" * 100_000,
        PROTOCOL_1.replace(b'"float64"', b'"float63"'),
        PROTOCOL_1.replace(b'"kind": "float"', b'"kind": "number"'),
        PROTOCOL_1.replace(b'"age"', b'"Type"'),
        PROTOCOL_1.replace(b'"Air temperature [K]": 300.1', b'"Air temperature [K]": -1'),
    ],
)  # fmt: skip
def test_a_broken_signature_is_refused(stored):
    with pytest.raises(SignatureError):
        Signature.from_json(stored)


def test_what_is_compiled_is_compiled_once_and_neither_stored_nor_compared():
    signature = small()
    assert signature.decoder() is signature.decoder()
    assert signature == small()
    assert b"_" not in signature.to_json().replace(b'"_"', b"")
    assert pickle.loads(pickle.dumps(signature)) == signature  # workers are handed one


def test_people_describe_columns():
    described = small().describe("age", unit="years", description="Of the applicant", lower=18, upper=120)
    column = described.columns[0]
    assert (column.unit, column.description, column.lower, column.upper) == (
        "years",
        "Of the applicant",
        18,
        120,
    )
    assert small().columns[0].unit is None
    with pytest.raises(InputError, match="from 18 to 120 years"):
        described.check_records([{"age": 17, "type": "a", "temp": 1}])
    assert described.describe("age", upper=None).columns[0].upper is None
    assert described.describe("age", upper=None).columns[0].lower == 18


def test_people_say_what_may_be_missing():
    assert small().describe("age", nullable=True).columns[0].dtype == "float64"
    assert small().describe("temp", nullable=False).columns[2].nullable is False
    row = small().describe("age", nullable=True).check_records([{"type": "a"}])
    assert row == [(None, "a", None)]


def test_people_say_the_kind_and_the_categories():
    assert small().describe("type", kind="text").columns[1].categories is None
    assert small().describe("age", kind="category", categories=[20, 30, 41]).check_records(
        [{"age": 41, "type": "a"}]
    ) == [(41, "a", None)]
    assert small().describe("type", categories=["b", "a", "c"]).columns[1].categories == ("b", "a", "c")
    floats = learn(pd.DataFrame({"n": [1.0, 3.0, None]})).describe("n", kind="integer")
    assert floats.example == {"n": 1}


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("agee", {"unit": "years"}, "did you mean 'age'?"),
        ("age", {"lower": 5, "upper": 3}, "lower=5 is above upper=3"),
        ("age", {"lower": float("nan")}, "is no bound"),
        ("age", {"lower": 100}, "the typical row does not fit: column 'age' is 30"),
        ("age", {"unseen": "pass"}, "unseen='pass' is for categories"),
        ("age", {"kind": "float"}, "cannot hold the kind 'float'"),
        ("type", {"lower": 3}, "is for numbers"),
        ("type", {"categories": ["a", "a"]}, "a category stands twice"),
        ("type", {"categories": []}, "there is no category"),
        ("temp", {"kind": "integer"}, "the typical row does not fit"),
    ],
)
def test_what_cannot_be_is_refused(name, options, words):
    with pytest.raises(SignatureError) as caught:
        small().describe(name, **options)
    assert words in str(caught.value)


def test_the_output_is_changed_by_its_parts():
    frame = pd.DataFrame({"x": [1, 2]})
    signature = Signature.infer(frame, ["no", "yes"])
    changed = signature.with_output(
        available=["prediction", "probability", "probabilities"],
        fields=("prediction", "probability"),
        positive="no",
    )
    assert changed.output.available == ("prediction", "probability", "probabilities")
    assert changed.output.positive == "no"
    assert signature.output.available == ("prediction",)


def test_settings_may_be_of_numpy():
    signature = Signature.infer(pd.DataFrame({"x": [1, 2]}), [0, 1], positive=np.int64(0))
    signature = signature.with_output(classes=np.array([0, 1]), positive=np.int64(1))
    signature = signature.describe("x", lower=np.float64(0)).describe("x", lower=None)
    signature = signature.describe("x", kind="category", categories=np.array([1, 2]))
    assert Signature.from_json(signature.to_json()) == signature


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"colour": "red"}, "has no part 'colour'"),
        ({"positive": "maybe"}, "is none of the classes"),
        ({"fields": ("prediction", "score")}, "not among those available"),
        ({"fields": (), "available": ()}, "lack 'prediction'"),
        ({"classes": ("a", "a")}, "a class stands twice"),
        ({"classes": None, "positive": None}, "a label needs its classes"),
    ],
)
def test_an_output_that_cannot_be_is_refused(changes, words):
    signature = Signature.infer(pd.DataFrame({"x": [1, 2]}), ["no", "yes"])
    with pytest.raises(SignatureError) as caught:
        signature.with_output(**changes)
    assert words in str(caught.value)


def test_a_signature_has_columns_with_different_names():
    column = Column(name="a", kind="float", dtype="float64")
    with pytest.raises(SignatureError, match="no column"):
        Signature((), Output(kind="number"))
    with pytest.raises(SignatureError, match="'a' stands twice"):
        Signature((column, column), Output(kind="number"))


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"kind": "float", "dtype": "float12"}, "float12"),
        ({"kind": "float", "dtype": "decimal"}, "is not known"),
        ({"kind": "category", "dtype": "str"}, "needs its categories"),
        ({"kind": "integer", "dtype": "int64", "nullable": True}, "cannot hold a missing value"),
        ({"kind": "text", "dtype": "str", "categories": ("a",)}, "categories are for"),
        ({"kind": "category", "dtype": "category", "categories": (True, "a")}, "not a mixture"),
        ({"kind": "category", "dtype": "category", "categories": (True, False)}, "the kind 'boolean'"),
        ({"kind": "category", "dtype": "category", "categories": (float("nan"),)}, "NaN"),
        ({"kind": "text", "dtype": "str", "missing": "none"}, "is for the dtype object"),
    ],
)
def test_a_column_whose_parts_do_not_fit_is_refused(parts, words):
    with pytest.raises(SignatureError) as caught:
        Column(name="x", **parts)
    assert words in str(caught.value)
    assert str(caught.value).startswith("column 'x': ")


def test_importing_the_signature_loads_no_heavy_library():
    code = (
        "import sys, ekiben.signature as s; "
        "d = s.Decoder([s.Column(name='x', kind='float', dtype='float64')]); d.decode(b'{\"x\": 1}'); "
        "print(*{'pandas', 'sklearn', 'bentoml', 'pyarrow', 'scipy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_what_is_exported_is_sorted_and_there():
    exported = ekiben.signature.__all__
    assert sorted(exported, key=lambda name: (not name.isupper(), name)) == exported
    assert all(hasattr(ekiben.signature, name) for name in exported)


def test_what_a_setting_cannot_be_is_refused_with_what_it_can_be():
    X, y = pd.DataFrame({"a": [1.0, 2.0], "c": ["x", "y"]}), [0, 1]
    signature = Signature.infer(X, y)
    with pytest.raises(SignatureError, match='extra="drop"; expected one of error, ignore'):
        Signature.infer(X, y, extra="drop")
    with pytest.raises(SignatureError, match='output="class"; expected one of label, probability, number'):
        Signature.infer(X, y, output="class")
    with pytest.raises(SignatureError, match="target=3; expected a text"):
        Signature.infer(X, y, target=3)
    with pytest.raises(SignatureError, match="column 'c': unseen=\"ignore\"; expected one of error, pass"):
        signature.describe("c", unseen="ignore")
    with pytest.raises(SignatureError, match="column 'a': lower=\"x\"; Expected `float"):
        signature.describe("a", lower="x")
    with pytest.raises(SignatureError, match='kind="class"; expected one of label'):
        signature.with_output(kind="class")
    assert signature.describe("a", lower=np.int64(0), upper=9, unit="K").columns[0].upper == 9
