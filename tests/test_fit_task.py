"""What is to be predicted."""

from __future__ import annotations

import pandas as pd
import pytest

from ekiben.errors import TableError
from ekiben.fit.task import classes_of, detect, encode, whole


@pytest.mark.parametrize(
    ("values", "task"),
    [
        ([0, 1] * 20, "binary"),
        ([False, True] * 20, "binary"),
        (["no", "yes"] * 20, "binary"),
        ([1.5, 2.5] * 20, "binary"),
        ([1, 2, 3] * 20, "multiclass"),
        (["a", "b", "c"] * 20, "multiclass"),
        (list(range(40)), "regression"),
        ([0.5, 1.5, 2.5] * 20, "regression"),
    ],
)
def test_the_target_decides_on_the_task(values, task):
    assert detect(pd.Series(values, name="y"))[0] == task


def test_a_person_can_overrule():
    assert detect(pd.Series([1, 2, 3] * 20, name="y"), "regression")[0] == "regression"
    assert detect(pd.Series(list(range(40)), name="y"), "classification")[0] == "multiclass"


@pytest.mark.parametrize(
    ("values", "wanted", "words"),
    [
        ([1] * 20, None, "is 1 in every row"),
        (["a", "b"] * 20, "regression", "needs numbers"),
        ([f"t{n}" for n in range(60)], None, "at most 50 classes"),
        ([f"{n}.5 EUR" for n in range(60)], None, r"looks like numbers with a unit \('0.5 EUR'\)"),
        ([f"{n}%" for n in range(60)], "regression", "numbers with a unit"),
        ([0, 1] * 20, "clustering", "is not known"),
        (pd.date_range("2026-01-01", periods=40, unit="us"), None, "labels or numbers"),
    ],
)
def test_what_cannot_be_learned_is_refused(values, wanted, words):
    with pytest.raises(TableError, match=words):
        detect(pd.Series(values, name="y"), wanted)


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        ([1, 0], (0, 1)),
        ([True, False], (False, True)),
        (["no", "yes"], ("no", "yes")),
        (["bad", "good"], ("good", "bad")),
        (["benign", "malignant"], ("benign", "malignant")),
        (["b", "c", "a"], ("a", "b", "c")),
    ],
)
def test_labels_are_put_in_order_and_of_two_the_positive_one_comes_second(values, classes):
    assert classes_of(pd.Series(values)) == classes


def test_the_positive_label_can_be_named():
    labels = pd.Series(["cat", "dog", "cat"])
    assert classes_of(labels, "cat") == ("dog", "cat")
    with pytest.raises(TableError, match="no label 'bird': the labels are cat, dog"):
        classes_of(labels, "bird")


def test_labels_become_their_places():
    codes = encode(pd.Series(["yes", "no", "yes"], name="y"), ("no", "yes"))
    assert codes.tolist() == [1, 0, 1]
    assert codes.dtype == "int64"


def test_whole_numbers_with_a_point_become_integers():
    assert whole(pd.Series([0.0, 1.0])).dtype == "int64"
    assert whole(pd.Series([0.5, 1.0])).dtype == "float64"
