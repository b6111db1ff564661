"""Arrays of predictions, and the answers made of them."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from ekiben.engine import Predictions, positive_index
from ekiben.errors import EngineError
from ekiben.signature import Output

BINARY = Output(
    kind="label",
    classes=("good", "bad"),
    positive="good",
    fields=("prediction", "probability"),
    available=("prediction", "probability", "probabilities"),
)
TWO = Predictions(np.array(["bad", "good"]), np.array([[0.1, 0.9], [0.75, 0.25]]), np.array([-1.0, 2.0]))


def test_the_probability_is_that_of_the_positive_class():
    assert TWO.answers(BINARY) == [
        {"prediction": "bad", "probability": 0.1},
        {"prediction": "good", "probability": 0.75},
    ]


def test_the_second_class_is_positive_unless_stated():
    assert positive_index(Output(kind="label", classes=(0, 1))) == 1


def test_the_caller_chooses_the_fields():
    assert TWO[1:].answers(BINARY, ["prediction", "probabilities", "score"]) == [
        {"prediction": "good", "probabilities": {"good": 0.75, "bad": 0.25}, "score": 2.0}
    ]


def test_labels_are_keys_as_json_writes_them():
    output = Output(kind="label", classes=(False, True))
    assert TWO[:1].answers(output, ["probabilities"]) == [{"probabilities": {"false": 0.1, "true": 0.9}}]


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.array([1], dtype="int8"), 1),
        (np.array([0.5], dtype="float32"), 0.5),
        (np.array([True]), True),
        (np.array(["a"]), "a"),
        (np.array([True, "a"], dtype=object)[:1], True),
    ],
)
def test_values_are_plain_python(array, expected):
    answer = Predictions(array).answers(Output(kind="number"))[0]["prediction"]
    assert answer == expected
    assert type(answer) is type(expected)
    assert msgspec.json.encode(answer)


def test_predictions_have_a_length_and_can_be_cut():
    assert len(TWO) == 2
    cut = TWO[:1]
    assert len(cut) == 1
    assert cut.probabilities.shape == (1, 2)
    assert cut.score.tolist() == [-1.0]
    assert Predictions(np.array([1, 2]))[1:].probabilities is None


def test_no_rows_give_no_answers():
    assert TWO[:0].answers(BINARY) == []


@pytest.mark.parametrize("field", ["probability", "probabilities", "score"])
def test_a_field_that_was_not_computed_is_told(field):
    with pytest.raises(EngineError, match=f"was not asked for '{field}'"):
        Predictions(np.array([1])).answers(BINARY, ["prediction", field])


def test_three_classes_have_no_single_probability():
    output = Output(kind="label", classes=(0, 1, 2))
    with pytest.raises(EngineError, match="probability"):
        Predictions(np.array([1]), np.array([[0.2, 0.5, 0.3]])).answers(output, ["probability"])
