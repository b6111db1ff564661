"""The sample that is kept with a model."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest

from ekiben.artifact import reference
from ekiben.errors import MissingExtraError, SaveError
from ekiben.signature import Output

LABEL = Output(kind="label", classes=("good", "bad"))


def frame(rows=4):
    return pd.DataFrame(
        {
            "Air temperature [K]": np.linspace(290, 300, rows, dtype="float32"),
            "kind": pd.Categorical(["L", "M"] * (rows // 2), categories=["M", "L"], ordered=True),
            "job": pd.Series(["a", None] * (rows // 2), dtype="str"),
            "when": pd.date_range("2026-11-22", periods=rows, unit="us"),
            "open": np.arange(rows) % 2 == 0,
        }
    )


def test_inputs_answers_and_labels_come_back():
    rows = frame()
    data = reference.encode(
        rows,
        LABEL,
        prediction=np.array(["good", "bad", "good", "bad"]),
        probabilities=np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.4, 0.6]]),
        score=np.array([1.0, -1.0, 1.0, -1.0]),
        labels=np.array(["good", "bad", "bad", "bad"]),
    )
    read = reference.decode(data)
    pd.testing.assert_frame_equal(read[list(rows.columns)], rows)
    assert read["ekiben:prediction"].tolist() == ["good", "bad", "good", "bad"]
    assert read["ekiben:probability:bad"].tolist() == [0.1, 0.8, 0.3, 0.6]
    assert read["ekiben:score"].tolist() == [1.0, -1.0, 1.0, -1.0]
    assert read["ekiben:label"].tolist() == ["good", "bad", "bad", "bad"]


def test_a_column_called_prediction_is_not_lost():
    rows = pd.DataFrame({"prediction": [1.0, 2.0]})
    read = reference.decode(reference.encode(rows, Output(kind="number"), prediction=np.array([3.0, 4.0])))
    assert read.columns.tolist() == ["prediction", "ekiben:prediction"]
    assert read["prediction"].tolist() == [1.0, 2.0]


def test_the_frame_is_not_changed():
    rows = frame()
    before = rows.copy()
    reference.encode(rows, Output(kind="number"), prediction=np.zeros(4))
    pd.testing.assert_frame_equal(rows, before)


def test_a_small_sample_is_kept_whole():
    assert reference.choose(5).tolist() == [0, 1, 2, 3, 4]
    assert reference.choose(0).tolist() == []


def test_a_large_sample_is_cut_by_the_seed():
    first = reference.choose(10_000, seed=1)
    assert len(first) == reference.MAX_ROWS == len(set(first.tolist()))
    assert np.all(np.diff(first) > 0)
    assert (
        first.tolist()
        == reference.choose(10_000, seed=1).tolist()
        != reference.choose(10_000, seed=2).tolist()
    )


def test_mixed_values_are_told():
    mixed = pd.DataFrame({"a": pd.Series([1, "x"], dtype=object)})
    with pytest.raises(
        SaveError, match=r"the sample cannot be kept as Parquet.*give each column values of one type"
    ):
        reference.encode(mixed, Output(kind="number"), prediction=np.zeros(2))


@pytest.mark.parametrize(
    "use", [lambda: reference.decode(b""), lambda: reference.encode(frame(), LABEL, prediction=np.zeros(4))]
)
def test_without_pyarrow_the_extra_is_named(monkeypatch, use):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'ekiben\[arrow\]'"):
        use()
