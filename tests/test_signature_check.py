"""Frames are checked as requests are: the same rows pass, with the same words about the others."""

from __future__ import annotations

import datetime as dt
import time

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from signature_tables import JSON_VALUES, as_json, frames, learn, records

from ekiben.errors import InputError
from ekiben.signature import Column, Output, Signature

NUMBER = Output(kind="number")


def signature(*columns, **options):
    return Signature(columns, NUMBER, **options)


def column(name="x", kind="float", dtype="float64", **options):
    return Column(name=name, kind=kind, dtype=dtype, **options)


def bad_rows(checked):
    return sorted(checked.problems)


def as_given(value, column):
    whole = column.kind == "integer" or any(type(one) is int for one in column.categories or ())
    return int(value) if whole and isinstance(value, float) and value.is_integer() else value


@given(frames())
@settings(deadline=None, max_examples=150)
def test_the_training_frame_passes_unchanged(frame):
    shuffled = frame.set_axis(range(7, 7 + len(frame)))[list(reversed(frame.columns))]
    checked = learn(frame).check_frame(shuffled)
    assert checked.problems == {}
    assert checked.positions.tolist() == list(range(len(frame)))
    assert_frame_equal(checked.frame, frame.reset_index(drop=True))


@given(st.data())
@settings(deadline=None, max_examples=300)
def test_a_frame_is_checked_as_a_request_is(data):
    frame = data.draw(frames(max_rows=4))
    learned = learn(frame)
    given = records(frame)
    names = st.sampled_from(list(frame.columns))
    for row, name in data.draw(st.lists(st.tuples(st.integers(0, len(frame) - 1), names), max_size=3)):
        value = data.draw(JSON_VALUES)
        kind = learned.columns[learned.names.index(name)].kind
        if isinstance(value, float) and value.is_integer() and kind in {"integer", "category"}:
            continue  # taken in a frame, where pandas makes floats of integers
        given[row][name] = value
    table = {name: [record[name] for record in given] for name in frame.columns}
    if data.draw(st.booleans()):
        made = pd.DataFrame({name: pd.Series(cells, dtype=object) for name, cells in table.items()})
    else:
        made = pd.DataFrame({name: pd.Series(cells) for name, cells in table.items()})
        # What pandas turned into another number is not what was given; floats stand for whole numbers there.
        table = {
            column.name: [as_given(as_json(value), column) for value in made[column.name].tolist()]
            for column in learned.columns
        }
        given = [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]

    checked = learned.check_frame(made)
    wanted: dict[int, list] = {}
    rows = []
    for index, record in enumerate(given):
        try:
            rows += learned.decoder().decode(msgspec.json.encode(record)).rows
        except InputError as error:
            wanted[index] = [(p.column, p.expected, p.nearest) for p in error.problems]
    found = {row: [(p.column, p.expected, p.nearest) for p in some] for row, some in checked.problems.items()}
    assert found == wanted
    assert_frame_equal(checked.frame, learned.frame(rows))


def test_rows_that_do_not_fit_are_left_out_and_told():
    learned = signature(column("a"), column("b", "category", "str", categories=("x", "y")))
    frame = pd.DataFrame({"a": [1.5, np.nan, 2.5], "b": ["x", "y", "z"]}, index=[10, 10, 12])
    checked = learned.check_frame(frame)
    assert checked.frame.to_dict("list") == {"a": [1.5], "b": ["x"]}
    assert isinstance(checked.frame.index, pd.RangeIndex)
    assert checked.positions.tolist() == [0]
    assert [p.message for p in checked.problems[1]] == [
        "row 1: column 'a' is null, but may not be missing; expected a number"
    ]
    assert checked.problems[2][0].message == 'row 2: column \'b\' is "z"; expected one of "x", "y"'


def test_all_problems_of_a_row_stand_in_the_order_of_the_columns():
    learned = signature(column("a"), column("b", "text", "str"))
    checked = learned.check_frame(pd.DataFrame({"b": [3, 4], "a": ["x", "y"]}))
    assert [[p.column for p in some] for some in checked.problems.values()] == [["a", "b"], ["a", "b"]]


@pytest.mark.parametrize("dtype", ["int64", "int8", "uint64", "Int32", "float32", "Float64"])
def test_any_numbers_are_taken_for_floats(dtype):
    checked = signature(column()).check_frame(pd.DataFrame({"x": pd.Series([1, 2], dtype=dtype)}))
    assert checked.frame["x"].tolist() == [1.0, 2.0]
    assert checked.frame["x"].dtype == np.float64


def test_floats_without_a_fraction_are_taken_for_whole_numbers():
    learned = signature(column(kind="integer", dtype="Int64", nullable=True))
    checked = learned.check_frame(pd.DataFrame({"x": [1.0, np.nan, 2.5, np.inf, 2.0**63, -(2.0**63)]}))
    assert checked.frame["x"].tolist() == [1, pd.NA, -(2**63)]
    assert bad_rows(checked) == [2, 3, 4]


@pytest.mark.parametrize("kind", ["float", "integer"])
def test_numbers_as_text_are_not_taken(kind):
    learned = signature(column(kind=kind, dtype=f"{kind[:3] if kind == 'integer' else kind}64"))
    checked = learned.check_frame(pd.DataFrame({"x": ["1", "2"]}))
    assert bad_rows(checked) == [0, 1]
    assert checked.problems[0][0].message.endswith("; write it without quotes")


def test_booleans_are_no_numbers_and_numbers_no_booleans():
    assert bad_rows(signature(column()).check_frame(pd.DataFrame({"x": [True]}))) == [0]
    assert bad_rows(
        signature(column(kind="boolean", dtype="bool")).check_frame(pd.DataFrame({"x": [1]}))
    ) == [0]


def test_infinity_is_refused_by_its_name():
    checked = signature(column()).check_frame(pd.DataFrame({"x": [np.inf]}))
    assert checked.problems[0][0].message == "row 0: column 'x' is inf; expected a number; it must be finite"


@pytest.mark.parametrize(
    ("cells", "good"),
    [
        (["2026-01-31T08:00:00", "2026-01-31 08:00:00", "2026-01-31", "x", None], [0, 1, 2, 4]),
        (["2026-01-31T08:00:00Z", "2026-02-30", "20260131"], []),
        (pd.to_datetime(["2026-01-31"]), [0]),
        (pd.to_datetime(["2026-01-31"]).tz_localize("UTC"), []),
        (pd.to_datetime(["2026-01-31"]).astype("datetime64[s]"), [0]),
        ([dt.datetime.fromisoformat("2026-01-31T00:00:00"), 3], [0]),
        ([1706688000], []),
    ],
)
def test_timestamps_may_be_iso_8601_texts(cells, good):
    learned = signature(column(kind="timestamp", dtype="datetime64[us]", nullable=True))
    checked = learned.check_frame(pd.DataFrame({"x": cells}))
    assert checked.positions.tolist() == good
    assert checked.frame["x"].dtype == "datetime64[us]"


@pytest.mark.parametrize("moment", ["2026-01-31", "2026-01-31 08:30:00"])
@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_timestamps_come_back_from_a_csv_file(tmp_path, moment, zone):
    frame = pd.DataFrame({"at": pd.to_datetime([moment, moment]).as_unit("us")})
    if zone:
        frame["at"] = frame["at"].dt.tz_localize(zone)
    frame.to_csv(tmp_path / "t.csv", index=False)
    checked = learn(frame).check_frame(pd.read_csv(tmp_path / "t.csv"))
    assert_frame_equal(checked.frame, frame)


def test_moments_beyond_the_calendar_are_refused():
    cells = np.array(["12000-01-01", "2026-01-31"], dtype="datetime64[s]")
    for dtype in ("datetime64[us]", "datetime64[ns]"):
        learned = signature(column(kind="timestamp", dtype=dtype))
        assert bad_rows(learned.check_frame(pd.DataFrame({"x": cells}))) == [0]


@pytest.mark.parametrize(
    ("categories", "cells", "good"),
    [
        (("a", "b"), pd.Series(["a", "c"]), [0]),
        (("a", "b"), pd.Series(["a", "c"], dtype="category"), [0]),
        (("a", "b"), pd.Series(["a", "c"], dtype=object), [0]),
        (("a", "b"), pd.Series([0, 1]), []),
        ((1, 2), pd.Series([1, 3]), [0]),
        ((1, 2), pd.Series([1.0, 1.5]), [0]),
        ((1, 2), pd.Series([1, 3], dtype="category"), [0]),
        ((1, 2), pd.Series(["1", "2"]), []),
        ((1, 2), pd.Series([True, False]), []),
        ((0.5, 1.0), pd.Series([0.5, 0.75, 1.0]), [0, 2]),
        ((0.5, 1.0), pd.Series([1, 2]), [0]),
        (("a", 1), pd.Series(["a", 1, 2]), [0, 1]),
        (("a", 1), pd.Series([1, 2]), [0]),
    ],
)
def test_categories_keep_their_type(categories, cells, good):
    learned = signature(column(kind="category", dtype="category", categories=categories))
    checked = learned.check_frame(pd.DataFrame({"x": cells}))
    assert checked.positions.tolist() == good
    assert checked.frame["x"].cat.categories.tolist() == list(categories)


def test_an_unseen_category_passes_where_it_may():
    learned = signature(column(kind="category", dtype="str", categories=("a",), unseen="pass"))
    assert learned.check_frame(pd.DataFrame({"x": ["b"]})).frame["x"].tolist() == ["b"]


@pytest.mark.parametrize(
    "cells", [[{"a": 1}, "x"], [[1, 2], "x"], [b"x", "x"], [1 + 2j, "x"], [pd.Timedelta(1), "x"]]
)
def test_cells_of_any_type_are_refused_in_words(cells):
    learned = signature(column(kind="text", dtype="str"))
    checked = learned.check_frame(pd.DataFrame({"x": pd.Series(cells, dtype=object)}))
    assert checked.positions.tolist() == [1]
    assert checked.problems[0][0].expected == "a text"


def test_columns_of_arrow_are_read_too():
    frame = pd.DataFrame({"a": [1, None], "b": ["x", None]}).convert_dtypes(dtype_backend="pyarrow")
    learned = signature(
        column("a", "integer", "Int64", nullable=True), column("b", "text", "str", nullable=True)
    )
    assert learned.check_frame(frame).frame["a"].tolist() == [1, pd.NA]


def test_a_missing_column_is_an_error_of_the_whole_frame():
    with pytest.raises(InputError) as caught:
        signature(column("age"), column("note", "text", "str", nullable=True)).check_frame(
            pd.DataFrame({"agee": [1]})
        )
    absent, unknown = caught.value.problems
    assert (absent.column, absent.row) == ("age", None)
    assert (unknown.column, unknown.nearest) == ("agee", "age")


def test_a_nullable_column_may_be_left_out():
    learned = signature(column("a"), column("b", "text", "str", nullable=True))
    assert learned.check_frame(pd.DataFrame({"a": [1.0]})).frame["b"].isna().tolist() == [True]


def test_other_columns_are_refused_or_ignored_or_passed_by():
    frame = pd.DataFrame({"x": [1.0], "id": [7]})
    with pytest.raises(InputError, match="unknown column 'id'"):
        signature(column()).check_frame(frame)
    assert list(signature(column(), extra="ignore").check_frame(frame).frame) == ["x"]
    assert list(signature(column()).check_frame(frame, passthrough=["id"]).frame) == ["x"]


def test_a_column_that_stands_twice_is_refused():
    frame = pd.DataFrame([[1.0, 2.0]], columns=["x", "x"])
    with pytest.raises(InputError, match="stands more than once"):
        signature(column()).check_frame(frame)


def test_an_empty_frame_passes():
    checked = signature(column(), column("b", "category", "str", categories=("a",))).check_frame(
        pd.DataFrame({"x": [], "b": []})
    )
    assert len(checked.frame) == len(checked.positions) == len(checked.problems) == 0


def test_the_frame_is_not_changed():
    frame = pd.DataFrame({"x": [1, 2]})
    before = frame.copy(deep=True)
    signature(column()).check_frame(frame)
    assert_frame_equal(frame, before)


def test_many_rows_take_seconds_not_minutes():
    rows = 200_000
    random = np.random.default_rng(0)
    frame = pd.DataFrame({f"x{k}": random.random(rows) for k in range(10)})
    frame["c"] = random.choice(["a", "b", "c"], rows)
    learned = learn(frame)
    start = time.perf_counter()
    assert len(learned.check_frame(frame).frame) == rows
    assert time.perf_counter() - start < 10
