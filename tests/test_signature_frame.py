"""Rows become the frame that a pipeline was fitted on."""

from __future__ import annotations

import datetime as dt

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from pandas.testing import assert_frame_equal
from signature_tables import frames, learn, records

from ekiben.signature import Signature


@given(frames())
@settings(deadline=None, max_examples=200)
def test_the_training_frame_goes_through_json_unchanged(frame):
    signature = learn(frame)
    body = msgspec.json.encode(records(frame))
    request = signature.decoder().decode(body)
    assert_frame_equal(signature.frame(request.rows), frame.reset_index(drop=True), check_exact=True)


@given(frames())
@settings(deadline=None, max_examples=50)
def test_no_rows_make_an_empty_frame_of_the_same_dtypes(frame):
    empty = learn(frame).frame([])
    assert empty.shape == (0, frame.shape[1])
    assert list(empty.dtypes) == list(frame.dtypes)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int8", "bool"])
def test_an_array_is_fed_as_an_array_of_the_same_dtype(dtype):
    X = np.array([[0, 1], [1, 0], [1, 1]], dtype=dtype)
    signature = Signature.infer(X, [0, 1, 1], names=["a", "b"])
    assert signature.container == "numpy"
    fed = signature.frame(signature.check_records([dict(zip("ab", row, strict=True)) for row in X]))
    assert isinstance(fed, np.ndarray)
    assert fed.dtype == X.dtype
    assert np.array_equal(fed, X)
    assert signature.frame([]).shape == (0, 2)
    assert signature.frame([]).dtype == X.dtype


def test_an_array_of_floats_holds_nan_where_a_value_is_missing():
    X = np.array([[0.5, np.nan], [1.0, 2.0]])
    signature = Signature.infer(X, [0, 1], names=["a", "b"])
    assert np.array_equal(signature.frame([(0.5, None)]), [[0.5, np.nan]], equal_nan=True)


def test_an_array_of_objects_keeps_each_column_as_it_is():
    X = np.array([["x", 1.5, True], [None, 2.5, False], ["x", 0.5, True]], dtype=object)
    signature = Signature.infer(X, [0, 1, 1], names=["a", "b", "c"])
    assert [column.kind for column in signature.columns] == ["category", "float", "boolean"]
    fed = signature.frame([(None, 1.5, True), ("x", 2.5, False)])
    assert fed.dtype == object
    assert fed.tolist() == [[None, 1.5, True], ["x", 2.5, False]]


def test_an_array_of_texts_is_fed_as_one():
    X = np.array([["x", "y"], ["y", "y"]])
    signature = Signature.infer(X, [0, 1], names=["a", "b"])
    assert signature.frame([("x", "y")]).dtype.kind == "U"


def test_an_array_gets_the_dtype_that_also_holds_what_may_now_be_missing():
    X = np.array([[1, 2], [3, 4]])
    signature = Signature.infer(X, [0, 1], names=["a", "b"], nullable=["b"])
    assert signature.columns[1].dtype == "float64"
    assert np.array_equal(signature.frame([(1, None)]), [[1.0, np.nan]], equal_nan=True)


def test_a_category_that_is_passed_on_arrives_as_missing_where_the_dtype_knows_no_other():
    frame = pd.DataFrame({"a": pd.Categorical(["x", "y"]), "b": ["x", "y"]})
    signature = learn(frame).describe("a", unseen="pass").describe("b", unseen="pass")
    made = signature.frame([("z", "z")])
    assert made["a"].isna().tolist() == [True]
    assert made["b"].tolist() == ["z"]


@pytest.mark.parametrize("nothing", [None, np.nan])
def test_a_column_of_objects_misses_values_as_it_did_in_training(nothing):
    frame = pd.DataFrame({"a": pd.Series(["x", nothing, "x"], dtype=object)})
    assert_same = learn(frame).frame([("x",), (None,)])["a"].tolist()
    assert assert_same[1] is None if nothing is None else np.isnan(assert_same[1])


def test_timestamps_with_an_offset_come_into_the_zone_of_training():
    frame = pd.DataFrame({"at": pd.to_datetime(["2026-01-31T08:00:00"]).tz_localize("Europe/Berlin")})
    signature = learn(frame)
    rows = signature.decoder().decode(b'{"at":"2026-01-31T02:00:00-05:00"}').rows
    assert signature.frame(rows)["at"].iloc[0] == frame["at"].iloc[0]
    assert signature.frame(rows)["at"].dtype == frame["at"].dtype


def test_ordered_categories_keep_their_order():
    dtype = pd.CategoricalDtype(["low", "mid", "high"], ordered=True)
    frame = pd.DataFrame({"level": pd.Series(["high", "low"], dtype=dtype)})
    signature = learn(frame)
    assert signature.columns[0].categories == ("low", "mid", "high")
    assert signature.frame([("mid",)])["level"].dtype == dtype


def test_an_integer_that_may_be_missing_is_a_float_where_it_was_a_column_of_floats():
    frame = pd.DataFrame({"n": [1.0, np.nan, 3.0]})
    signature = learn(frame, kinds={"n": "integer"})
    assert signature.check_records([{"n": 2}, {}]) == [(2,), (None,)]
    assert signature.frame([(2,), (None,)])["n"].dtype == np.float64


def test_rows_are_not_changed():
    rows = [(dt.datetime.fromisoformat("2026-01-31T00:00:00"),)]
    frame = pd.DataFrame({"at": pd.to_datetime(["2026-01-31"])})
    learn(frame).frame(rows)
    assert rows == [(dt.datetime.fromisoformat("2026-01-31T00:00:00"),)]


@pytest.mark.parametrize("cells", [[0.5, 1.5], [1, 2]])
def test_frames_share_nothing(cells):
    signature = learn(pd.DataFrame({"x": cells}))
    first = signature.frame([(1,)])
    first.columns.name = "changed"
    first["x"] = first["x"] + 1
    second = signature.frame([(1,)])
    assert second.columns.name is None
    assert second["x"].tolist() == [1]
