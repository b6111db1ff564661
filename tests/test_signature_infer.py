"""What is inferred from the data of training."""

from __future__ import annotations

import datetime as dt
import decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from pandas.testing import assert_frame_equal
from signature_tables import frames, learn

from ekiben.errors import SignatureError
from ekiben.signature import QUANTILES, Signature


def one(cells, dtype=None, **options):
    """Return what is inferred of one column `x`."""
    (column,) = learn(pd.DataFrame({"x": pd.Series(cells, dtype=dtype)}), **options).columns
    return column


def refusal(X, y=None, **options):
    with pytest.raises(SignatureError) as caught:
        Signature.infer(X, y, output="number" if y is None else None, **options)
    return str(caught.value)


def output(y, **options):
    return Signature.infer(pd.DataFrame({"x": range(len(y))}), y, **options).output


@pytest.mark.parametrize(
    ("cells", "dtype", "kind"),
    [
        ([1.5], "float64", "float"), ([1.5], "float32", "float"), ([1.5, None], "Float64", "float"),
        ([1], "int64", "integer"), ([1], "uint8", "integer"), ([1, None], "Int64", "integer"),
        ([True], "bool", "boolean"), ([True, None], "boolean", "boolean"), ([True, None], object, "boolean"),
        (["a"], "str", "category"), (["a"], "string", "category"), (["a", None], object, "category"),
        ([1, 2], object, "integer"), ([1.5, 2], object, "float"),
        (["b", "a"], "category", "category"), ([3, 1], "category", "category"), ([0.5], "category", "category"),
        ([True, False], "category", "boolean"), ([False], "category", "boolean"),
        (["2026-01-31"], "datetime64[us]", "timestamp"), (["2026-01-31"], "datetime64[ns]", "timestamp"),
        (["2026-01-31"], "datetime64[us, Europe/Berlin]", "timestamp"),
    ],
)  # fmt: skip
def test_the_dtype_says_the_kind(cells, dtype, kind):
    column = one(cells, dtype)
    assert column.kind == kind
    assert column.dtype == (dtype if isinstance(dtype, str) else "object")


def test_a_column_may_miss_values_if_training_missed_some():
    assert one([1.0, None]).nullable
    assert not one([1.0, 2.0]).nullable
    assert one([1.0], nullable=["x"]).nullable


@pytest.mark.parametrize(
    ("dtype", "becomes"),
    [("int64", "float64"), ("bool", "boolean"), ("Int64", "Int64"), ("float32", "float32")],
)
def test_a_column_that_may_miss_values_gets_a_dtype_that_can(dtype, becomes):
    assert one([1, 0], dtype, nullable=["x"]).dtype == becomes


def test_few_texts_are_categories_and_many_are_texts():
    assert one(["a", "b", "c"]).categories == ("a", "b", "c")
    assert one([f"t{k}" for k in range(20)]).kind == "category"
    assert one([f"t{k}" for k in range(21)]).kind == "text"
    assert one([f"t{k}" for k in range(100)] * 2).kind == "category"
    assert one([f"t{k}" for k in range(101)] * 2).kind == "text"
    assert one(["a", "b"] * 20, max_categories=1).kind == "text"


def test_categories_keep_their_own_order_and_say_whether_it_means_something():
    dtype = pd.CategoricalDtype(["low", "mid", "high"], ordered=True)
    column = one(["high", "low"], dtype)
    assert column.categories == ("low", "mid", "high")
    assert column.ordered


def test_categories_of_an_uncommon_type_are_kept():
    assert one([1, 2], pd.CategoricalDtype(pd.Index([1, 2], dtype="int32"))).dtype == "category[int32]"


def test_people_may_overrule_the_kind():
    assert one(["a", "b"], kinds={"x": "text"}).kind == "text"
    assert one([3, 1, 3], kinds={"x": "category"}).categories == (1, 3)
    assert one([1.0, None], kinds={"x": "integer"}).kind == "integer"


def test_people_may_list_the_categories():
    column = one(["a"], categories={"x": ["b", "a"]})
    assert (column.kind, column.categories) == ("category", ("b", "a"))


def test_numbers_have_their_range_and_quantiles_without_infinity():
    column = one([*range(1, 101), np.inf, -np.inf, np.nan], "float64")
    assert (column.minimum, column.maximum) == (1.0, 100.0)
    assert column.quantiles == (1.0, 5.0, 25.0, 50.0, 75.0, 95.0, 99.0)
    assert len(column.quantiles) == len(QUANTILES)


def test_huge_numbers_have_finite_quantiles():
    assert one([-1.7e308, 1.7e308]).quantiles == (-1.7e308,) * 4 + (1.7e308,) * 3


def test_timestamps_have_their_range():
    column = one(["2026-01-31T08:00", "2025-12-31T00:00"], "datetime64[us]")
    assert (column.minimum, column.maximum) == ("2025-12-31T00:00:00", "2026-01-31T08:00:00")


def test_a_typical_row_holds_medians_and_the_most_frequent():
    frame = pd.DataFrame(
        {
            "age": [20, 30, 41],
            "income": [1.5, np.nan, 2.5],
            "type": pd.Categorical(["b", "b", "a"]),
            "is_new": [True, False, True],
            "note": pd.Series(["x", None, "x"], dtype=object),
            "at": pd.to_datetime(["2026-01-31T08:00", "2026-01-30T08:00", "2026-02-01T08:00"]),
            "zoned": pd.to_datetime(["2026-01-31T08:00"] * 3).tz_localize("Europe/Berlin"),
            "nothing": [np.nan] * 3,
        }
    )
    assert learn(frame).example == {
        "age": 30,
        "income": 1.5,
        "type": "b",
        "is_new": True,
        "note": "x",
        "at": "2026-01-31T08:00:00",
        "zoned": "2026-01-31T08:00:00+01:00",
        "nothing": None,
    }


def test_an_offset_with_seconds_is_written_in_utc():
    frame = pd.DataFrame({"at": pd.to_datetime(["1800-01-01T00:00"]).tz_localize("Europe/Berlin")})
    assert learn(frame).example["at"].endswith("+00:00")


@given(frames())
@settings(deadline=None, max_examples=100)
def test_a_typical_row_decodes_and_misses_only_what_is_missing_everywhere(frame):
    signature = learn(frame)
    assert signature.check_records([signature.example])
    for name, value in signature.example.items():
        assert (value is None) == frame[name].isna().all()


def table():
    return pd.DataFrame(
        {
            "a b": [1.5, 2.5, None],
            "n": [1, 2, 3],
            "ok": [True, False, True],
            "t": ["x", "y", None],
            "at": pd.to_datetime(["2026-01-31T08:00", "2026-02-01T00:00", None]).as_unit("us"),
        }
    )


def test_polars_and_arrow_say_the_same_as_pandas():
    wanted = learn(table())
    arrow = pa.Table.from_pandas(table())
    assert Signature.infer(arrow, [0.5] * 3, output="number") == wanted
    assert Signature.infer(pl.from_arrow(arrow), [0.5] * 3, output="number") == wanted
    assert Signature.infer(pl.from_arrow(arrow).lazy(), [0.5] * 3, output="number") == wanted
    assert Signature.infer(arrow.to_batches()[0], pa.array([0.5] * 3), output="number") == wanted


def test_dates_of_arrow_become_timestamps():
    arrow = pa.table({"day": [dt.date(2026, 1, 31)]})
    assert Signature.infer(arrow, [0.5]).columns[0].kind == "timestamp"


def test_the_frame_is_not_changed():
    frame = table()
    learn(frame)
    assert_frame_equal(frame, table())


def test_an_array_needs_names():
    X = np.ones((3, 2))
    assert "names=[...]" in refusal(X)
    assert "1 names, and X has 2 columns" in refusal(X, names=["a"])
    assert "shape (3,)" in refusal(np.ones(3), names=["a"])
    assert "names= is for numpy arrays" in refusal(pd.DataFrame({"a": [1]}), names=["a"])
    assert Signature.infer(X, [0, 1, 1], names=["a", "b"]).container == "numpy"


@pytest.mark.parametrize("X", [[[1, 2]], {"a": [1]}, pd.Series([1]), None])
def test_what_is_no_table_is_refused(X):
    assert "expected a pandas, polars or pyarrow table" in refusal(X)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["a", 1], "make all its values texts or all numbers"),
        ([[1], [2]], "holds Python objects (mixed), such as [1], [2]"),
        ([decimal.Decimal(1)], ".astype(float)"),
        ([dt.date(2026, 1, 31)], "pandas.to_datetime"),
        ([b"x"], ".str.decode"),
        (np.array([1j]), "the dtype complex128"),
        (pd.to_timedelta(["1s"]), ".dt.total_seconds()"),
        (pd.period_range("2026", periods=1, freq="D"), ".dt.to_timestamp()"),
        (pd.arrays.IntervalArray.from_tuples([(0, 1)]), ".astype(str)"),
        (pd.Series([1, 2], dtype="int64[pyarrow]"), "numpy_nullable"),
        (pd.Series([0, 1], dtype="Sparse[int]"), ".sparse.to_dense()"),
        (pd.Series([2**64 - 1], dtype="uint64"), "beyond 64 bits"),
        (pd.Series(pd.Categorical([None])), "no category at all"),
        (pd.Series(pd.Categorical([pd.Timestamp("2026")])), "expected texts, numbers or booleans"),
        (pd.Series(pd.Categorical(["a", 0.5])), "not a mixture"),
        (np.array(["12000-01-01"], dtype="datetime64[s]"), "outside of the years 1 to 9999"),
        (["\ud800"], "not valid Unicode"),
    ],
)
def test_a_column_that_cannot_be_served_is_named_with_what_to_do(cells, words):
    held = (
        cells
        if isinstance(cells, pd.Series)
        else pd.Series(cells, dtype=object if isinstance(cells, list) else None)
    )
    text = refusal(pd.DataFrame({"good": [1.5] * len(held), "Air temp [K]": held}))
    assert "'Air temp [K]'" in text
    assert words in text


def test_a_zone_without_a_name_is_refused():
    zone = dt.timezone(dt.timedelta(hours=1), "here")
    held = pd.Series([pd.Timestamp("2026-01-31", tz=zone)])
    assert ".dt.tz_convert('UTC')" in refusal(pd.DataFrame({"at": held}))


def test_a_frame_needs_columns_rows_and_different_names_that_are_texts():
    assert "no columns" in refusal(pd.DataFrame(index=[0]))
    assert "no rows" in refusal(pd.DataFrame({"a": []}))
    assert "stands twice" in refusal(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    assert "the column name 0 is a int" in refusal(pd.DataFrame([[1]]))


def test_options_that_name_no_column_are_told_the_nearest():
    frame = pd.DataFrame({"amount": [1]})
    assert "did you mean 'amount'?" in refusal(frame, nullable=["amout"])
    assert "did you mean 'amount'?" in refusal(frame, kinds={"amout": "text"})
    assert "did you mean 'amount'?" in refusal(frame, categories={"amout": ["a"]})


def test_a_kind_that_the_data_cannot_have_is_refused():
    assert "cannot hold the kind 'float'" in refusal(pd.DataFrame({"n": [1]}), kinds={"n": "float"})
    assert "holds 1.5; expected whole numbers" in refusal(pd.DataFrame({"n": [1.5]}), kinds={"n": "integer"})


@pytest.mark.parametrize(
    ("y", "kind", "classes"),
    [
        (["b", "a", "b"], "label", ("a", "b")),
        ([True, False], "label", (False, True)),
        ([3, 1, 2], "label", (1, 2, 3)),
        (np.array([1.0, 0.0]), "label", (0.0, 1.0)),
        (np.array([1, 0], dtype="int8"), "label", (0, 1)),
        (pd.Series(["x", "y"], dtype="category"), "label", ("x", "y")),
        (pd.Series([1, 2], dtype="Int64"), "label", (1, 2)),
        (pd.Series([True, False], dtype=object), "label", (False, True)),
        (pl.Series([2, 1]), "label", (1, 2)),
        (np.array([[1], [0]]), "label", (0, 1)),
        (pd.DataFrame({"y": [1, 0]}), "label", (0, 1)),
        ([0.5, 1.0], "number", None),
        (list(range(20)), "label", tuple(range(20))),
        (list(range(21)), "number", None),
    ],
)
def test_the_targets_say_what_is_answered(y, kind, classes):
    found = output(y)
    assert (found.kind, found.classes) == (kind, classes)
    assert [type(one) for one in found.classes or ()] == [type(one) for one in classes or ()]


def test_people_may_overrule_what_is_answered():
    assert output([0, 1], output="number").classes is None
    assert output(list(range(30)), output="label").classes == tuple(range(30))
    found = output([0, 1], output="probability", positive=0, fields=["probability"])
    assert (found.kind, found.positive) == ("probability", 0)
    assert found.fields == found.available == ("prediction", "probability")
    assert output(["a", "b"], classes=["b", "a"]).classes == ("b", "a")


def test_the_second_of_two_classes_is_the_positive_one():
    assert output(["no", "yes"]).positive == "yes"
    assert output([0, 1, 2]).positive is None


def test_the_output_is_named_as_the_target():
    assert output(pd.Series([0, 1], name="churn")).name == "churn"
    assert output(pd.Series([0, 1], name="churn"), target="left").name == "left"
    assert output([0, 1]).name == "prediction"


def test_without_targets_people_say_what_is_answered():
    frame = pd.DataFrame({"x": [1.0]})
    assert Signature.infer(frame, output="score").output.kind == "score"
    with pytest.raises(SignatureError, match="there is no y"):
        Signature.infer(frame)


@pytest.mark.parametrize(
    ("y", "words"),
    [
        ([1.0, None], "y misses 1 of 2 values"),
        ([1.0, np.inf], "infinite"),
        (["a", 1], "not a mixture"),
        (np.ones((2, 2)), "one value for each row"),
        (pd.DataFrame({"a": [1, 2], "b": [1, 2]}), "2 columns"),
        ([0, 1, 1], "X has 2 rows and y has 3 values"),
    ],
)
def test_targets_that_cannot_be_predicted_are_refused(y, words):
    assert words in refusal(pd.DataFrame({"x": [1.0, 2.0]}), y)


def test_categories_that_leave_out_what_the_data_holds_are_refused():
    X = pd.DataFrame({"c": ["x", "y", "z"]})
    text = refusal(X, categories={"c": ["x"]})
    assert "column 'c' holds 2 categories that are not listed, such as \"y\"" in text


def test_the_classes_of_a_categorical_keep_its_own_order():
    y = pd.Series(pd.Categorical(["low", "high", "low"], categories=["low", "never", "high"]))
    assert Signature.infer(pd.DataFrame({"a": [1.0, 2.0, 3.0]}), y).output.classes == ("low", "high")
