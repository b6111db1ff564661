"""The engine that asks the estimator: same answers, as few calls as needed, and nothing that is not a number."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.compose import make_column_transformer
from sklearn.ensemble import IsolationForest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from ekiben.artifact.answer import reconcile
from ekiben.engine import Engine, NativeEngine
from ekiben.errors import EngineError, PolicyError, RowError
from ekiben.signature import Signature

_random = np.random.default_rng(0)
X = pd.DataFrame(
    {
        "Air temperature [K]": _random.normal(300, 5, 80),
        "torque": np.where(np.arange(80) == 5, np.nan, _random.normal(40, 10, 80)),
        "type": pd.Categorical(_random.choice(["L", "M", "H"], 80)),
    }
)
Y = (X["Air temperature [K]"] > 300).astype(int)
NUMBERS = X[["Air temperature [K]"]].to_numpy()


@dataclasses.dataclass(frozen=True)
class Fitted:
    """What the engine needs of a model."""

    signature: Signature
    estimator: object


def fitted(estimator, rows=X, target=Y, **stated):
    estimator.fit(rows, target)
    names = ["temperature"] if isinstance(rows, np.ndarray) else None
    signature = Signature.infer(
        rows, target, names=names, **({"output": "score"} if target is None else {}), **stated
    )
    return Fitted(signature.with_output(**_parts(reconcile(signature.output, estimator))), estimator)


def _parts(output):
    return {name: getattr(output, name) for name in output.__struct_fields__}


def pipeline(last=None):
    return make_pipeline(
        make_column_transformer(
            (make_pipeline(SimpleImputer(), StandardScaler()), ["Air temperature [K]", "torque"]),
            (OneHotEncoder(), ["type"]),
        ),
        LogisticRegression() if last is None else last,
    )


class Counting:
    """Counts the calls of an estimator's methods."""

    def __init__(self, estimator):
        self.estimator = estimator
        self.calls = []

    def __getattr__(self, name):
        found = getattr(self.estimator, name)
        if name not in {"predict", "predict_proba", "decision_function"}:
            return found

        def called(rows):
            self.calls.append(name)
            return found(rows)

        return called


class Answering:
    """Answers whatever it is told to."""

    classes_ = np.array([0, 1])

    def __init__(self, **answers):
        self.answers = answers

    def __getattr__(self, name):
        if name not in self.answers:
            raise AttributeError(name)
        return lambda rows: self.answers[name]


def engine_that_answers(**answers):
    model = fitted(LogisticRegression(), X[["Air temperature [K]"]])
    return NativeEngine(dataclasses.replace(model, estimator=Answering(**answers)))


def rows_of(model, frame):
    return model.signature.check_records(frame.to_dict("records"))


def test_rows_and_frames_are_answered_as_the_pipeline_does():
    model = fitted(pipeline())
    engine: Engine = NativeEngine(model)
    assert engine.signature is model.signature
    for predictions in (
        engine.predict_rows(rows_of(model, X)),
        engine.predict_frame(model.signature.check_frame(X).frame),
    ):
        np.testing.assert_array_equal(predictions.prediction, model.estimator.predict(X))
        np.testing.assert_array_equal(predictions.probabilities, model.estimator.predict_proba(X))


def test_a_model_fitted_on_an_array_is_fed_an_array():
    model = fitted(
        LogisticRegression(), NUMBERS
    )  # a frame would make scikit-learn warn, which fails the test
    frame = model.signature.check_frame(pd.DataFrame(NUMBERS, columns=["temperature"])).frame
    expected = model.estimator.predict(NUMBERS)
    np.testing.assert_array_equal(NativeEngine(model).predict_frame(frame).prediction, expected)
    rows = [(float(value),) for (value,) in NUMBERS]
    np.testing.assert_array_equal(NativeEngine(model).predict_rows(rows).prediction, expected)


def test_no_rows_are_answered_with_nothing():
    model = fitted(pipeline())
    predictions = NativeEngine(model).predict_rows([])
    assert predictions.probabilities.shape == (0, 2)
    assert predictions.answers(model.signature.output) == []


@pytest.mark.parametrize(
    ("fields", "calls"),
    [
        (("prediction",), ["predict"]),
        (("prediction", "probability"), ["predict_proba", "predict"]),
        (("prediction", "probabilities"), ["predict_proba", "predict"]),
        (None, ["predict_proba", "predict"]),
    ],
)
def test_only_what_is_asked_for_is_computed(fields, calls):
    model = fitted(pipeline())
    counting = Counting(model.estimator)
    NativeEngine(dataclasses.replace(model, estimator=counting)).predict_frame(X, fields)
    assert counting.calls == calls


def test_a_threshold_decides_and_spares_predict():
    model = fitted(pipeline())
    counting = Counting(model.estimator)
    predictions = NativeEngine(dataclasses.replace(model, estimator=counting), threshold=0.2).predict_frame(X)
    chance = model.estimator.predict_proba(X)[:, 1]
    np.testing.assert_array_equal(predictions.prediction, (chance >= 0.2).astype(int))
    assert counting.calls == ["predict_proba"]


def test_a_threshold_is_for_the_class_that_is_called_positive():
    model = fitted(pipeline(), X, np.where(Y, "warm", "cold"), positive="cold")
    predictions = NativeEngine(model, threshold=0.9).predict_frame(X)
    chance = model.estimator.predict_proba(X)[:, list(model.estimator.classes_).index("cold")]
    np.testing.assert_array_equal(predictions.prediction == "cold", chance >= 0.9)


def test_a_threshold_is_met_by_its_own_value():
    model = fitted(LogisticRegression(), X[["Air temperature [K]"]])
    estimator = Answering(predict_proba=np.array([[0.65, 0.35], [0.66, 0.34]]))
    engine = NativeEngine(dataclasses.replace(model, estimator=estimator), threshold=0.35)
    assert engine.predict_frame(X[["Air temperature [K]"]][:2]).prediction.tolist() == [1, 0]


@pytest.mark.parametrize(
    "model",
    [
        fitted(pipeline(LinearRegression()), X, X["Air temperature [K]"]),
        fitted(pipeline(), X, pd.Series(np.arange(80) % 3)),
    ],
)
def test_a_threshold_needs_two_classes_and_probabilities(model):
    with pytest.raises(PolicyError, match=r"threshold 0\.3 needs a model with two classes"):
        NativeEngine(model, threshold=0.3)


def test_labels_of_a_booster_are_named_by_their_position():
    model = fitted(
        xgboost.XGBClassifier(n_estimators=3, n_jobs=1), NUMBERS, Y.to_numpy(), classes=["cold", "warm"]
    )
    predictions = NativeEngine(model).predict_frame(NUMBERS)
    assert (
        predictions.prediction.tolist() == np.where(model.estimator.predict(NUMBERS), "warm", "cold").tolist()
    )


def test_labels_keep_the_type_that_the_signature_gives_them():
    model = fitted(LogisticRegression(), NUMBERS, Y.to_numpy().astype(float), classes=[0, 1])
    answers = NativeEngine(model).predict_frame(NUMBERS).answers(model.signature.output, ["prediction"])
    assert {type(answer["prediction"]) for answer in answers} == {int}


def test_a_probability_can_be_the_prediction():
    model = fitted(LogisticRegression(), NUMBERS, Y.to_numpy(), output="probability")
    predictions = NativeEngine(model).predict_frame(NUMBERS)
    np.testing.assert_array_equal(predictions.prediction, model.estimator.predict_proba(NUMBERS)[:, 1])


def test_an_outlier_detector_answers_label_and_score():
    model = fitted(IsolationForest(n_estimators=5, random_state=0), NUMBERS, None)
    predictions = NativeEngine(model).predict_frame(NUMBERS)
    assert set(predictions.prediction.tolist()) <= {-1, 1}
    np.testing.assert_array_equal(predictions.score, model.estimator.decision_function(NUMBERS))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_prediction_that_is_not_a_number_is_told_with_its_row(bad):
    model = fitted(LinearRegression(), NUMBERS, X["Air temperature [K]"])
    engine = NativeEngine(dataclasses.replace(model, estimator=Answering(predict=np.array([1.0, 2.0, bad]))))
    with pytest.raises(RowError, match=r"row 2: .*prediction.*not a finite number") as caught:
        engine.predict_frame(NUMBERS[:3])
    assert caught.value.row == 2


def test_a_probability_that_is_not_a_number_is_told_with_its_row():
    engine = engine_that_answers(
        predict=np.array([0, 1]), predict_proba=np.array([[0.5, 0.5], [np.nan, 0.5]])
    )
    with pytest.raises(RowError, match="row 1"):
        engine.predict_frame(X[["Air temperature [K]"]][:2])


@pytest.mark.parametrize("answers", [np.array([1]), np.array([[1], [0]]), np.array([0, 1, 0])])
def test_answers_of_another_shape_are_a_broken_contract(answers):
    engine = engine_that_answers(predict=answers, predict_proba=np.full((2, 2), 0.5))
    with pytest.raises(EngineError, match=r"the model gave prediction of shape .* expected \(2,\)"):
        engine.predict_frame(X[["Air temperature [K]"]][:2])


def test_probabilities_of_another_shape_are_a_broken_contract():
    engine = engine_that_answers(predict=np.array([0, 1]), predict_proba=np.full((2, 3), 0.5))
    with pytest.raises(EngineError, match="probability of shape"):
        engine.predict_frame(X[["Air temperature [K]"]][:2])


def test_a_method_that_the_estimator_has_not_is_a_broken_contract():
    with pytest.raises(EngineError, match="Answering has no predict_proba"):
        engine_that_answers(predict=np.array([0])).predict_frame(X[["Air temperature [K]"]][:1])
