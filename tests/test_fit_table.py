"""A raw table is made fit to learn from, and everything that was done is said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ekiben import fit
from ekiben.errors import TableError

ROWS = 120


def raw(**columns):
    rng = np.random.default_rng(0)
    x = rng.normal(size=ROWS)
    return pd.DataFrame(
        {"x": x, "z": rng.normal(size=ROWS), "y": (x > 0).astype(int) ^ (rng.random(ROWS) < 0.2), **columns}
    )


def test_the_columns_are_sorted_by_kind_and_the_input_is_not_changed():
    frame = raw(
        price=[f" {n / 3:.2f} " if n % 5 else " " for n in range(ROWS)],
        kind=["a", "b"] * (ROWS // 2),
        member=[True, None, False] * (ROWS // 3),
        day=[f"2026-11-{n % 28 + 1:02d}" for n in range(ROWS)],
        number=range(ROWS),
    )
    before = frame.copy(deep=True)
    table = fit.prepare(frame, "y")
    pd.testing.assert_frame_equal(frame, before)
    assert table.numbers == ["x", "z", "price"]
    assert table.categories == ["kind", "member"]
    assert table.timestamps == ["day"]
    assert (table.task, table.classes) == ("binary", (0, 1))
    assert any("'number' is left out" in note for note in table.notes)
    assert any("'price' 20.0%" in note for note in table.notes)


def test_rows_without_a_target_are_left_out():
    frame = raw()
    table = fit.prepare(frame.assign(y=frame["y"].astype("float64").mask(frame.index < 10)), "y")
    assert len(table.X) == len(table.y) == ROWS - 10
    assert table.classes == (0, 1)
    assert table.notes[0].startswith("10 of 120 rows are left out")


def test_text_labels_are_encoded_and_given_back():
    frame = raw()
    frame["y"] = frame["y"].map({0: "stays", 1: "leaves"})
    table = fit.prepare(frame, "y", positive="leaves")
    assert table.classes == ("stays", "leaves")
    assert table.labels(table.y).tolist() == frame["y"].tolist()


def test_a_column_that_is_not_there_is_named_with_the_nearest():
    with pytest.raises(TableError, match="no column 'Y'; did you mean 'y'"):
        fit.prepare(raw(), "Y")
    with pytest.raises(TableError, match="the columns are: x, z, y"):
        fit.prepare(raw(), "y", drop=["unknown"])


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (raw().head(3), "3 rows with a target: at least 20"),
        (raw(y=[None] * ROWS), "every value of the target 'y' is missing"),
        (raw(y=[1] * ROWS), "is 1 in every row"),
        (raw()[["y"]].assign(number=range(ROWS)), "no column is left.*'number' is left out"),
        (raw()[["y"]], "there is the target alone"),
        (raw(y=["a"] * (ROWS - 2) + ["b", "c"]), "only 1 of 3 classes"),
    ],
)
def test_a_table_that_cannot_be_learned_from_is_refused(frame, words):
    with pytest.raises(TableError, match=words):
        fit.prepare(frame, "y")


def test_classes_of_a_few_rows_are_left_out_with_a_warning():
    labels = ["a", "b"] * (ROWS // 2)
    labels[:3] = ["c", "c", "d"]
    table = fit.prepare(raw(y=labels), "y")
    assert table.classes == ("a", "b")
    assert any("'c' (2), 'd' (1)" in warning for warning in table.warnings)


def test_rows_with_infinite_values_are_left_out():
    frame = raw()
    frame.loc[:4, "z"] = np.inf
    table = fit.prepare(frame, "y")
    assert len(table.X) == len(table.y) == ROWS - 5
    assert any(note.startswith("5 rows are left out: 'z' infinite") for note in table.notes)


def test_infinite_targets_are_missing():
    frame = raw(y=np.arange(ROWS) * 1.5)
    frame.loc[0, "y"] = np.inf
    table = fit.prepare(frame, "y")
    assert len(table.y) == ROWS - 1
    assert "1 infinite target is taken as missing" in table.notes[0]


def test_blanks_around_labels_are_taken_off():
    table = fit.prepare(raw(y=[" will churn ", "stays", "will churn"] * (ROWS // 3)), "y")
    assert table.classes == ("stays", "will churn")
    assert any("blanks around the label are taken off in 40 rows" in note for note in table.notes)


@pytest.mark.parametrize("form", ["{:02d}/11/2026", "day {}"])
def test_a_time_column_of_text_is_refused(form):
    with pytest.raises(TableError, match=r"'when' holds text .*ISO 8601"):
        fit.prepare(raw(when=[form.format(n % 28 + 1) for n in range(ROWS)]), "y", time="when")


def test_rows_that_differ_in_a_column_left_out_do_not_repeat():
    frame = pd.DataFrame({"x": [1, 2, 1, 2] * 30, "id": range(ROWS), "y": [0, 1, 1, 0] * 30})
    assert not any("repeat" in warning for warning in fit.prepare(frame, "y").warnings)


def test_rows_that_repeat_are_counted():
    frame = pd.concat([raw(), raw().head(30)])
    assert any(warning.startswith("30 of 150 rows repeat") for warning in fit.prepare(frame, "y").warnings)


def test_names_of_any_text_are_taken():
    frame = raw().rename(columns={"x": "", "z": "a,b [K]"})
    assert list(fit.prepare(frame, "y").X.columns) == ["", "a,b [K]"]


def test_a_time_column_that_only_counts_is_used_for_the_order_and_left_out():
    table = fit.prepare(raw(instant=range(ROWS)), "y", time="instant")
    assert "instant" not in table.X.columns
    assert table.order is not None
    assert table.order.tolist() == list(range(ROWS))
    with pytest.raises(TableError, match="'when' has missing values"):
        fit.prepare(raw(when=[1.0, np.nan] * (ROWS // 2)), "y", time="when")
