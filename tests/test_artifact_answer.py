"""What a model answers, told by its estimator where the signature leaves it open."""

from __future__ import annotations

import numpy as np
import pytest
import xgboost
from sklearn.cluster import KMeans
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from ekiben.artifact.answer import describe, reconcile
from ekiben.errors import SaveError
from ekiben.signature import Output

X = np.random.default_rng(0).normal(size=(30, 2))
Y = (X[:, 0] > 0).astype(int)
NUMBER = Output(kind="number", name="y")


def label(*classes, **stated):
    return Output(kind="label", classes=classes, **stated)


def test_two_classes_answer_the_probability_of_the_second():
    output = reconcile(label(0, 1), LogisticRegression().fit(X, Y))
    assert output.fields == ("prediction", "probability")
    assert output.available == ("prediction", "probability", "probabilities")
    assert output.positive == 1


def test_more_classes_answer_all_probabilities():
    output = reconcile(label(0, 1, 2), LogisticRegression().fit(X, np.arange(30) % 3))
    assert output.fields == ("prediction", "probabilities") == output.available
    assert output.positive is None


def test_probabilities_can_be_left_out_and_stay_available():
    output = reconcile(label(0, 1), LogisticRegression().fit(X, Y), probabilities=False)
    assert output.fields == ("prediction",)
    assert "probability" in output.available


def test_fields_that_were_stated_stay():
    stated = label(0, 1, fields=("prediction", "probabilities"), available=("prediction", "probabilities"))
    assert reconcile(stated, LogisticRegression().fit(X, Y)).fields == ("prediction", "probabilities")


def test_what_a_classifier_cannot_answer_is_not_available():
    output = reconcile(label(0, 1), make_pipeline(StandardScaler(), RidgeClassifier()).fit(X, Y))
    assert output.fields == ("prediction",)
    assert output.available == ("prediction", "score")


def test_a_field_that_the_estimator_cannot_answer_is_refused():
    stated = label(0, 1, fields=("prediction", "probability"), available=("prediction", "probability"))
    with pytest.raises(SaveError, match="SVC cannot answer probability, only prediction, score"):
        reconcile(stated, SVC().fit(X, Y))


def test_labels_of_an_estimator_that_was_trained_on_their_positions_stay():
    output = reconcile(label("good", "bad"), xgboost.XGBClassifier(n_estimators=2).fit(X, Y))
    assert output.classes == ("good", "bad")
    assert output.positive == "bad"


def test_labels_stand_in_the_order_of_the_estimator():
    words = np.where(Y, "b", "a")
    output = reconcile(label("b", "a", positive="a"), LogisticRegression().fit(X, words))
    assert output.classes == ("a", "b")
    assert output.positive == "a"


def test_labels_are_written_as_the_signature_writes_them():
    output = reconcile(label(*[False, True]), LogisticRegression().fit(X, Y.astype(bool)))
    assert output.classes == (False, True)
    assert [type(each) for each in output.classes] == [bool, bool]
    whole = reconcile(label(0, 1), LogisticRegression().fit(X, Y.astype(float)))
    assert [type(each) for each in whole.classes] == [int, int]


@pytest.mark.parametrize("classes", [("a", "b"), (1, 2), (0, 1, 2)])
def test_labels_that_are_others_are_refused(classes):
    with pytest.raises(SaveError, match=r"the signature's classes are .* those of the estimator"):
        reconcile(label(*classes), LogisticRegression().fit(X, np.where(Y, "x", "y")))


def test_a_classifier_makes_labels_of_what_looked_like_numbers():
    output = reconcile(NUMBER, RandomForestClassifier(2).fit(X, Y))
    assert (output.kind, output.classes, output.name) == ("label", (0, 1), "y")


def test_a_regressor_makes_numbers_of_what_looked_like_labels():
    output = reconcile(label(0, 1), LinearRegression().fit(X, Y))
    assert (output.kind, output.classes, output.positive) == ("number", None, None)
    assert output.fields == output.available == ("prediction",)


def test_a_probability_stays_one():
    output = reconcile(Output(kind="probability", classes=(0, 1)), LogisticRegression().fit(X, Y))
    assert (output.kind, output.fields) == ("probability", ("prediction",))


def test_a_probability_needs_predict_proba():
    with pytest.raises(SaveError, match="needs two classes and predict_proba"):
        reconcile(Output(kind="probability", classes=(0, 1)), SVC().fit(X, Y))


def test_an_outlier_detector_answers_a_score():
    output = reconcile(NUMBER, make_pipeline(StandardScaler(), IsolationForest(n_estimators=2)).fit(X))
    assert (output.kind, output.fields) == ("score", ("prediction", "score"))


def test_a_ranker_answers_a_rank():
    ranker = xgboost.XGBRanker(n_estimators=2).fit(X, Y, qid=np.repeat([0, 1], 15))
    assert reconcile(NUMBER, ranker).kind == "rank"


def test_clusters_are_labels_without_probabilities():
    output = reconcile(label(0, 1), KMeans(2, n_init=1, random_state=0).fit(X))
    assert (output.kind, output.available) == ("label", ("prediction",))


def test_several_targets_are_refused():
    forest = RandomForestClassifier(2).fit(X, np.c_[Y, Y])
    with pytest.raises(SaveError, match="save one model for each target"):
        reconcile(label(0, 1), forest)


def test_an_estimator_is_described_by_its_parts():
    assert describe(make_pipeline(StandardScaler(), SVC())) == "Pipeline(StandardScaler, SVC)"
    assert describe(SVC()) == "SVC"
