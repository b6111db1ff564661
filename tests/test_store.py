"""Models saved whole or not at all, found by name, version or alias, and verified before they are loaded."""

from __future__ import annotations

import builtins
import importlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import bentoml
import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import make_column_transformer
from sklearn.ensemble import IsolationForest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import ekiben
from ekiben import store
from ekiben.artifact import reference
from ekiben.engine import NativeEngine
from ekiben.errors import (
    ArtifactError,
    ChangedFileError,
    ExtraFileError,
    MissingExtraError,
    MissingFileError,
    ModelNotFoundError,
    PolicyError,
    SaveError,
    StoreError,
    UntrustedTypeError,
)
from ekiben.signature import Signature

_random = np.random.default_rng(0)
X = pd.DataFrame(
    {
        "duration": np.where(np.arange(120) % 11 == 0, np.nan, _random.normal(20, 5, 120)),
        "Air temperature [K]": _random.normal(300, 5, 120),
        "job": pd.Series(_random.choice(["clerk", "none"], 120), dtype="str"),
    }
)
Y = pd.Series(np.where(X["Air temperature [K]"] > 300, "bad", "good"), name="risk")
CODES = (Y == "bad").astype(int)
NUMBERS = X[["Air temperature [K]"]]

_numbers = itertools.count()


@pytest.fixture
def name():
    """A name that no other test uses."""
    return f"credit-{next(_numbers)}"


def pipeline(last=None):
    return make_pipeline(
        make_column_transformer(
            (SimpleImputer(), ["duration", "Air temperature [K]"]),
            (OneHotEncoder(sparse_output=False), ["job"]),
        ),
        LogisticRegression(max_iter=1000) if last is None else last,
    )


def save(name, estimator=None, rows=X, target=Y, **stated):
    estimator = (pipeline() if estimator is None else estimator).fit(rows, target)
    return ekiben.save(name, estimator, **{"signature": Signature.infer(rows, target), **stated})


def folder_of(tag):
    return Path(bentoml.models.get(tag).path)


def staged():
    return list((Path(os.environ["BENTOML_HOME"]) / "ekiben" / "staging").glob("*"))


def names():
    return {entry.name for entry in store.models()}


# Save and load.


def test_a_model_comes_back_with_the_same_answers(name):
    estimator = pipeline(xgboost.XGBClassifier(n_estimators=5, n_jobs=1)).fit(X, CODES)
    signature = Signature.infer(X, CODES, classes=["good", "bad"], target="risk")
    tag = ekiben.save(
        name,
        estimator,
        signature=signature,
        sample=X,
        labels=Y,
        metrics={"roc_auc": np.float64(0.9)},
        seed=3,
    )
    model = ekiben.load(str(tag))
    assert (model.name, model.version, model.metrics) == (name, tag.version, {"roc_auc": 0.9})
    predictions = NativeEngine(model).predict_frame(X)
    np.testing.assert_array_equal(predictions.probabilities, estimator.predict_proba(X))
    assert predictions.prediction.tolist() == np.where(estimator.predict(X), "bad", "good").tolist()
    assert model.signature.output.fields == ("prediction", "probability")
    manifest = model.manifest
    assert (manifest.seed, manifest.fingerprint.rows, manifest.fingerprint.data) == (3, 120, "sample")
    assert {"bentoml", "scikit-learn", "xgboost"} <= manifest.versions.keys()
    assert sorted(manifest.files) == [
        "booster-0.ubj", "card.md", "metrics.json", "model.skops", "reference.parquet", "signature.json",
    ]  # fmt: skip


def test_the_sample_is_kept_with_answers_and_labels(name):
    estimator = pipeline().fit(X, CODES)
    signature = Signature.infer(X, CODES, classes=["good", "bad"])
    with pytest.warns(UserWarning, match='0 means "good", 1 means "bad"; nothing shows whether that is so'):
        tag = ekiben.save(name, estimator, signature=signature, sample=X, labels=CODES)
    kept = reference.decode((folder_of(tag) / "reference.parquet").read_bytes())
    pd.testing.assert_frame_equal(kept[list(X.columns)], X)
    assert kept["ekiben:label"].tolist() == Y.tolist()
    assert kept["ekiben:prediction"].tolist() == np.where(estimator.predict(X), "bad", "good").tolist()
    np.testing.assert_array_equal(kept["ekiben:probability:bad"], estimator.predict_proba(X)[:, 1])


def test_bentoml_shows_what_it_is(name):
    tag = save(
        name, purpose="Who defaults", domain="finance", metrics={"roc_auc": 0.9}, tags={"team": "risk"}
    )
    info = bentoml.models.get(tag).info
    assert info.labels == {"framework": "scikit-learn", "task": "label", "domain": "finance", "team": "risk"}
    assert info.metadata["metrics"] == {"roc_auc": 0.9}
    assert info.metadata["purpose"] == "Who defaults"
    assert info.metadata["ekiben_protocol"] == 1
    assert info.module == "ekiben.store"
    assert "scikit-learn" in info.context.framework_versions
    assert tag in [model.tag for model in bentoml.models.list()]


def test_policy_gives_purpose_domain_and_positive_class(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / f"{name}.toml").write_text(
        'purpose = "Who pays"\ndomain = "finance"\npositive = "good"\n'
    )
    described = store.describe(str(save(name)))
    assert (described.manifest.purpose, described.manifest.domain) == ("Who pays", "finance")
    assert described.signature.output.positive == "good"
    (tmp_path / "models" / f"{name}.toml").write_text('positive = "well"')
    with pytest.raises(
        PolicyError, match=r"\"well\" is the positive class, but the model answers \[\"bad\",\"good\"\]"
    ):
        save(name)
    (tmp_path / "models" / f"{name}.toml").write_text("purpos = 1")
    with pytest.raises(PolicyError, match="did you mean 'purpose'"):
        save(name)


def test_probabilities_can_be_left_out_of_answers(name):
    output = store.signature(str(save(name, probabilities=False))).output
    assert output.fields == ("prediction",)
    assert "probability" in output.available


def test_a_search_is_stored_as_its_best_estimator(name):
    search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2)
    tag = save(name, search, NUMBERS)
    assert isinstance(store.load(str(tag)).estimator, LogisticRegression)


def test_a_model_of_numbers_and_one_of_outliers_are_stored(name):
    save(name, LinearRegression(), NUMBERS, X["Air temperature [K]"], sample=NUMBERS)
    assert store.signature(name).output.kind == "number"
    detector = IsolationForest(n_estimators=5, random_state=0).fit(NUMBERS)
    ekiben.save(name, detector, signature=Signature.infer(NUMBERS, output="score"), sample=NUMBERS)
    assert store.signature(name).output.kind == "score"


def test_a_model_fitted_on_arrays_is_stored(name):
    array = NUMBERS.to_numpy()
    signature = Signature.infer(array, Y.to_numpy(), names=["temperature"])
    tag = ekiben.save(
        name, LogisticRegression().fit(array, Y), signature=signature, sample=array, labels=Y, training=array
    )
    assert store.describe(str(tag)).manifest.fingerprint.data == "training data"


@pytest.mark.parametrize("kind", ["polars", "pyarrow"])
def test_the_sample_may_be_another_kind_of_table(name, kind):
    library = importlib.import_module(kind)
    sample = library.from_pandas(NUMBERS) if kind == "polars" else library.Table.from_pandas(NUMBERS)
    tag = save(name, LogisticRegression(), NUMBERS, sample=sample)
    assert store.describe(str(tag)).manifest.fingerprint.rows == 120


def test_what_was_named_is_in_the_manifest(name, tmp_path, monkeypatch):
    (tmp_path / "own_features.py").write_text(
        "import numpy as np\n\ndef halve(rows):\n    return np.asarray(rows) / 2\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    from own_features import halve
    from sklearn.preprocessing import FunctionTransformer

    model = make_pipeline(FunctionTransformer(halve), LogisticRegression())
    with pytest.raises(UntrustedTypeError, match=r"trust=\['own_features.halve'\]"):
        save(name, model, NUMBERS)
    tag = save(name, model, NUMBERS, trust=["own_features.halve"])
    assert store.load(str(tag)).manifest.trusted == ("own_features.halve",)
    assert "own\\_features.halve" in store.card(name)


def test_others_may_read_what_the_umask_lets_them(name):
    before = os.umask(0o022)
    try:
        folder = folder_of(save(name))
        store.set_alias(name, "champion")
    finally:
        os.umask(before)
    modes = {
        path.name: path.stat().st_mode & 0o777
        for path in (folder, *folder.iterdir(), *folder.parent.iterdir())
    }
    assert {modes.pop(folder.name), *modes.values()} == {0o755, 0o644}


# Labels of an estimator that knows only 0, 1, 2...


def coded(name, target, order, *, classes=None, **stated):
    """Save a model of the codes of a target, in an order of its labels."""
    codes = np.array([order.index(label) for label in target])
    estimator = pipeline(xgboost.XGBClassifier(n_estimators=5, n_jobs=1)).fit(X, codes)
    signature = Signature.infer(X, target, classes=classes)
    return ekiben.save(name, estimator, signature=signature, **stated)


def test_labels_that_are_swapped_are_refused(name):
    with pytest.raises(SaveError, match=r"infer the signature with classes=\['good', 'bad'\].*positive="):
        coded(name, Y, ["good", "bad"], sample=X, labels=Y)
    tag = coded(name, Y, ["good", "bad"], classes=["good", "bad"], sample=X, labels=Y)
    answers = NativeEngine(store.load(str(tag))).predict_frame(X).prediction
    assert np.mean(answers == Y.to_numpy()) > 0.9
    jobs = X["job"].where(X["Air temperature [K]"] < 303, "hot").astype(object)
    with pytest.raises(SaveError, match=r"classes=\['none', 'hot', 'clerk'\]"):
        coded(name, jobs, ["none", "hot", "clerk"], sample=X, labels=jobs)
    coded(name, jobs, ["clerk", "hot", "none"], sample=X, labels=jobs)


def test_labels_that_nothing_was_compared_with_are_told(name):
    for stated in ({}, {"sample": X}):
        with pytest.warns(UserWarning, match='0 means "bad", 1 means "good"; nothing shows'):
            coded(name, Y, ["good", "bad"], **stated)


def test_numbers_that_were_numbered_anew_are_told(name):
    target = CODES.rename("risk")
    with pytest.warns(UserWarning, match=r"agree better with the order \[1,0\]"):
        save(name, target=1 - target, signature=Signature.infer(X, target), sample=X, labels=target)


def test_a_categorical_is_right_for_estimators_of_its_labels_and_of_its_codes(name):
    target = pd.Series(pd.Categorical(Y, categories=["good", "bad"]), name="risk")
    by_codes = pipeline().fit(X, target.cat.codes)
    by_labels = pipeline().fit(X, Y)
    for estimator, classes in ((by_codes, ("good", "bad")), (by_labels, ("bad", "good"))):
        tag = ekiben.save(name, estimator, signature=Signature.infer(X, target), sample=X, labels=target)
        model = store.load(str(tag))
        assert model.signature.output.classes == classes
        assert np.mean(NativeEngine(model).predict_frame(X).prediction == Y.to_numpy()) > 0.9


# What cannot be saved.


def test_an_estimator_of_a_single_column_is_refused(name):
    texts = pd.DataFrame({"text": [f"{word} number {row}" for row, word in enumerate(Y)]})
    estimator = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts["text"], Y)
    for stated in ({}, {"sample": texts[:1]}):
        with pytest.raises(
            SaveError, match=r"ColumnTransformer\(\[\('text', TfidfVectorizer\(\), 'text'\)\]\)"
        ):
            ekiben.save(name, estimator, signature=Signature.infer(texts, Y), **stated)


def test_a_search_without_a_best_estimator_is_refused(name):
    search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2, refit=False)
    with pytest.raises(SaveError, match="GridSearchCV has no best estimator: give it refit=True"):
        save(name, search, NUMBERS)


def test_a_table_is_not_fed_to_an_estimator_of_arrays_nor_the_reverse(name):
    array, columns = NUMBERS.to_numpy(), list(NUMBERS.columns)
    with pytest.raises(
        SaveError, match="was fitted on an array, and the signature was inferred from a table"
    ):
        ekiben.save(name, LogisticRegression().fit(array, Y), signature=Signature.infer(NUMBERS, Y))
    with pytest.raises(
        SaveError, match="was fitted on a table, and the signature was inferred from an array"
    ):
        save(name, LogisticRegression(), NUMBERS, signature=Signature.infer(array, Y, names=columns))


def test_what_the_signature_lets_through_but_the_estimator_cannot_take_is_told(name):
    signature = (
        Signature.infer(X, Y).describe("job", unseen="pass").describe("Air temperature [K]", nullable=True)
    )
    with pytest.warns(UserWarning, match=r"column 'job' may hold a new category, .*handle_unknown='ignore'"):
        save(name, signature=signature)
    bare = Signature.infer(NUMBERS, Y, nullable=["Air temperature [K]"])
    with pytest.warns(UserWarning, match=r"column 'Air temperature \[K\]' may be missing, .*SimpleImputer"):
        save(name, LogisticRegression(), NUMBERS, signature=bare)


class Dice(ClassifierMixin, BaseEstimator):
    """Answers at random."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.random.default_rng().choice(self.classes_, len(X))


class Forgetful(LogisticRegression):
    """Forgets what it learnt when it is stored."""

    def __getstate__(self):
        state = super().__getstate__()
        return {**state, "coef_": -state["coef_"]} if "coef_" in state else state


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"sample": X.drop(columns="job")}, "the sample does not fit the signature: .*job"),
        ({"sample": X.assign(extra=1)}, "the sample does not fit the signature: .*extra"),
        ({"sample": X.assign(job="pilot")}, "120 of 120 rows of the sample do not fit the signature.*unseen='pass'"),
        ({"sample": X, "labels": Y[:5]}, "there are 5 labels for 120 rows"),
        ({"sample": X, "labels": ["foo"] * 120}, r'the labels are \["foo"\], none of them one of the classes'),
        ({"trust": "feats.Adder"}, r"trust is 'feats.Adder', expected a list: trust=\['feats.Adder'\]"),
        ({"trust": LogisticRegression}, r"trust=\[LogisticRegression\]"),
        ({"trust": [LogisticRegression()]}, r"name the type: trust=\[LogisticRegression\]"),
        ({"metrics": 0.9}, "metrics is 0.9, expected numbers by name"),
        ({"signature": {"a": 1}}, "signature is a dict; give what Signature.infer"),
        ({"seed": "0"}, 'seed is "0", expected a whole number'),
        ({"purpose": 5}, "purpose is 5, expected a text"),
        ({"sample": X[:0]}, "the sample has no rows"),
        ({"labels": Y}, "there are labels, but no sample"),
        ({"metrics": {"roc_auc": float("nan")}}, "metric 'roc_auc' is .*, expected a finite number"),
        ({"metrics": {"roc_auc": "high"}}, "metric 'roc_auc' is \"high\""),
        ({"signature": Signature.infer(X.rename(columns={"job": "work"}), Y)}, "'work' for 'job'"),
        ({"signature": Signature.infer(NUMBERS, Y)}, "1 and 3 columns"),
        ({"signature": Signature.infer(X, np.where(CODES, "x", "y"))}, "the signature's classes are"),
        ({"signature": Signature.infer(X[["job", "duration", "Air temperature [K]"]], Y)}, "not those that the estimator"),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_refused(name, stated, message):
    with pytest.raises(SaveError, match=message):
        save(name, **stated)
    assert name not in names()
    assert staged() == []


@pytest.mark.parametrize("bad", ["", "Credit", "a b", "-a", "a/../b", "x" * 64, "credit:v1", 5])
def test_a_name_that_bentoml_does_not_take_is_refused(bad):
    with pytest.raises(SaveError, match="cannot be the name of a model"):
        save(bad)


def test_an_estimator_that_does_not_answer_the_same_again_is_refused(name):
    for kind in (Dice, Forgetful):
        with pytest.raises(SaveError, match="the stored model does not answer as the estimator did"):
            save(name, kind(), NUMBERS, sample=NUMBERS, trust=[kind])
    assert name not in names()


def test_an_estimator_that_is_half_fitted_is_refused(name):
    model = make_pipeline(SimpleImputer(), LogisticRegression().fit(NUMBERS.to_numpy(), Y))
    with pytest.raises(SaveError, match="cannot answer rows that fit the signature: NotFittedError"):
        ekiben.save(name, model, signature=Signature.infer(NUMBERS, Y))


def test_an_estimator_that_was_fitted_on_fewer_columns_is_refused(name):
    model = LogisticRegression().fit(NUMBERS.to_numpy(), Y)
    with pytest.raises(SaveError, match="the signature has 2 columns, the estimator was fitted on 1"):
        ekiben.save(name, model, signature=Signature.infer(NUMBERS.assign(b=1.0), Y))


def test_single_rows_that_the_signature_refuses_are_left_out_with_a_warning(name):
    sample = X.copy()
    sample.loc[[3, 7], "job"] = "pilot"
    with pytest.warns(
        UserWarning, match=r"2 of 120 rows of the sample do not fit the signature, the first: .*job"
    ):
        tag = save(name, sample=sample, labels=Y)
    kept = reference.decode((folder_of(tag) / "reference.parquet").read_bytes())
    assert kept["ekiben:label"].tolist() == Y.drop([3, 7]).tolist()


def test_a_sample_without_pyarrow_names_the_extra(name, monkeypatch):
    real = builtins.__import__

    def without_pyarrow(wanted, importer=None, *args):  # scikit-learn and pandas may have it
        if wanted.startswith("pyarrow") and (importer or {}).get("__name__", "").startswith("ekiben"):
            raise ImportError(wanted)
        return real(wanted, importer, *args)

    monkeypatch.setattr(builtins, "__import__", without_pyarrow)
    with pytest.raises(MissingExtraError, match=r"ekiben\[arrow\]"):
        save(name, LogisticRegression(), NUMBERS, sample=NUMBERS)
    save(name, LogisticRegression(), NUMBERS)


# A save that dies half way.


def test_a_save_that_fails_leaves_nothing(name, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ekiben.store.place.shutil.move", full)
    with pytest.raises(StoreError, match="No space left on device"):
        save(name)
    assert staged() == []
    assert not (Path(os.environ["BENTOML_HOME"]) / "models" / name).exists()
    bentoml.models.list()


def test_a_failure_leaves_the_versions_before(name, monkeypatch):
    first = save(name)
    monkeypatch.setattr("ekiben.store.place.shutil.move", lambda *args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        save(name)
    assert store.resolve(name) == str(first)
    assert bentoml.models.get(name).tag == first


SCRIPT = """
import os, pathlib, shutil, signal, sys
import numpy as np
import ekiben
from sklearn.linear_model import LogisticRegression

name, moment = sys.argv[1:]

def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

if moment == "while files are written":
    write, count = pathlib.Path.write_bytes, []
    def third(self, data):
        count.append(1)
        return write(self, data) if len(count) < 3 else die()
    pathlib.Path.write_bytes = third
elif moment == "while BentoML describes it":
    shutil.copyfile = die
elif moment == "before it enters the store":
    shutil.move = die
elif moment == "after it has entered the store":
    move = shutil.move
    shutil.move = lambda *args: (move(*args), die())

X, y = np.array([[0.0], [1.0]]), np.array([0, 1])
signature = ekiben.Signature.infer(X, y, names=["a"])
ekiben.save(name, LogisticRegression().fit(X, y), signature=signature)
"""


def killed_save(tmp_path, name, moment):
    script = tmp_path / "train.py"
    script.write_text(textwrap.dedent(SCRIPT))
    environment = {**os.environ, "PYTHONPATH": str(Path(ekiben.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, script, name, moment], check=False, capture_output=True, env=environment
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


@pytest.mark.parametrize(
    "moment", ["while files are written", "while BentoML describes it", "before it enters the store"]
)
def test_a_save_that_is_killed_leaves_no_model(tmp_path, name, moment):
    killed_save(tmp_path, name, moment)
    assert name not in {model.tag.name for model in bentoml.models.list()}
    assert name not in names()
    with pytest.raises(ModelNotFoundError):
        store.load(name)
    tag = save(name)
    assert store.resolve(name) == str(tag)
    for left in staged():
        long_ago = time.time() - 2 * 24 * 3600
        os.utime(left, (long_ago, long_ago))
    save(name)
    assert staged() == []


def test_a_save_that_is_killed_once_it_is_in_the_store_is_whole_and_the_latest(tmp_path, name):
    save(name)
    killed_save(tmp_path, name, "after it has entered the store")
    latest = store.load(name)
    assert latest.signature.names == ("a",)
    assert bentoml.models.get(name).tag.version == latest.version
    assert len(bentoml.models.list(name)) == 2


def test_saves_at_the_same_time_do_not_disturb_each_other(name):
    with ThreadPoolExecutor(4) as pool:
        tags = {str(tag) for tag in pool.map(lambda _: save(name, LogisticRegression(), NUMBERS), range(4))}
    assert {entry.tag for entry in store.models() if entry.name == name} == tags
    assert store.resolve(name) in tags
    for tag in tags:
        store.load(tag)


# What was tampered with is not loaded.


def test_what_was_changed_in_the_store_is_not_loaded(name):
    tag = save(name)
    folder = folder_of(tag)
    (folder / "model.skops").write_bytes(b"changed")
    with pytest.raises(ChangedFileError, match=r"model\.skops"):
        store.load(name)


def test_a_manifest_that_was_written_anew_is_not_believed(name):
    folder = folder_of(save(name))
    stored = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**stored, "trusted": ["shop.Evil"]}))
    with pytest.raises(ChangedFileError, match=r"manifest\.json"):
        store.load(name)


def test_a_pickle_that_was_put_beside_is_not_loaded(name):
    (folder_of(save(name)) / "custom_objects.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(ExtraFileError, match=r"custom_objects\.pkl"):
        store.load(name)


def test_what_was_removed_is_told(name):
    (folder_of(save(name)) / "signature.json").unlink()
    with pytest.raises(MissingFileError, match=r"signature\.json"):
        store.load(name)
    with pytest.raises(MissingFileError, match=r"signature\.json"):
        store.describe(name)


def test_a_model_that_ekiben_did_not_save_is_told_and_not_listed(name):
    with bentoml.models.create(name):
        pass
    assert name not in names()
    with pytest.raises(MissingFileError, match="no model of Ekiben's"):
        store.load(name)
    assert isinstance(MissingFileError(""), ArtifactError)


def test_a_model_survives_bentomls_export_and_import(name, tmp_path):
    tag = save(name)
    bentoml.models.export_model(tag, str(tmp_path / "credit.bentomodel"))
    store.delete(str(tag))
    assert name not in names()
    bentoml.models.import_model(str(tmp_path / "credit.bentomodel"))
    assert store.load(name).version == tag.version


# Names, versions, aliases.


def test_a_model_is_found_by_name_version_and_alias(name):
    first, second = str(save(name)), str(save(name))
    store.set_alias(name, "champion", first.partition(":")[2])
    assert store.resolve(name) == store.resolve(f"{name}:latest") == second
    assert store.resolve(first) == first
    assert store.resolve(f"{name}:champion") == first
    assert store.load(f"{name}:champion").tag == first


def test_an_alias_that_is_not_there_is_answered_with_the_nearest(name):
    save(name)
    store.set_alias(name, "champion")
    for wrong in ("zz", "champoin"):
        with pytest.raises(ModelNotFoundError, match=f"did you mean '{name}:champion'"):
            store.load(f"{name}:{wrong}")


def test_inside_a_bento_the_one_version_stands_for_every_alias(name):
    tag = str(save(name))
    bento = Path(os.environ["BENTOML_HOME"]) / "bento.yaml"  # beside the folder of the models, as in a bento
    bento.touch()
    try:
        assert store.resolve(f"{name}:champion") == tag
        with pytest.raises(ModelNotFoundError):
            store.resolve(f"{name}:aaaaaaaaaaaaaaaa")
    finally:
        bento.unlink()


# What is broken, or not where it belongs.


@pytest.mark.parametrize("text", ["", "name: [", "- 1", "name: x\nversion: y\nmetadata: 5\n", None])
def test_a_broken_description_does_not_hide_the_other_models(name, text, caplog):
    healthy, tag = save(f"{name}-healthy"), save(name)
    path = folder_of(tag) / "model.yaml"
    kept = path.read_text()
    path.write_text(kept.replace("metadata:", "metadatum:") if text is None else text)
    try:
        assert f"{name}-healthy" in names()
        assert name not in names()
        assert f"cannot read {name}:{tag.version}" in caplog.text
        assert store.load(f"{name}-healthy").version == healthy.version
        for wanted in (name, str(tag)):
            with pytest.raises(StoreError, match="BentoML cannot read"):
                store.load(wanted)
        with pytest.raises(ModelNotFoundError):
            store.load(f"{name}-unknown")
    finally:
        path.write_text(kept)


def test_the_version_of_another_model_is_not_taken_for_ones_own(name, caplog):
    mine, other = save(name), save(f"{name}-other")
    parent = folder_of(mine).parent
    shutil.copytree(folder_of(other), parent / other.version)
    (parent / "latest").write_text(other.version)
    try:
        for wanted in (name, f"{name}:{other.version}"):
            with pytest.raises(ChangedFileError, match=f"holds {name}-other:{other.version}"):
                store.load(wanted)
        assert [entry.tag for entry in store.models() if entry.name == name] == [str(mine)]
        assert "somebody copied it there" in caplog.text
        described = parent / other.version / "model.yaml"
        described.write_text(described.read_text().replace(f"{name}-other", name))
        for look in (store.load, store.describe):
            with pytest.raises(ChangedFileError, match=f"holds {name}-other:{other.version}"):
                look(f"{name}:{other.version}")
    finally:
        shutil.rmtree(parent)


def test_a_manifest_whose_hash_was_taken_out_is_not_believed(name):
    path = folder_of(save(name)) / "model.yaml"
    kept = path.read_text()
    path.write_text("".join(line for line in kept.splitlines(keepends=True) if "manifest_sha256" not in line))
    assert "manifest_sha256" in kept
    with pytest.raises(ChangedFileError, match=r"has lost its hash in model\.yaml"):
        store.load(name)


def test_a_version_that_is_not_there_is_not_replaced_by_another(name):
    save(name)
    with pytest.raises(ModelNotFoundError):
        store.resolve(f"{name}:aaaaaaaaaaaaaaaa")


def test_the_beginning_of_a_version_is_not_enough(name):
    first, _ = str(save(name)), save(name)
    with pytest.raises(ModelNotFoundError, match=f"did you mean '{name}:"):
        store.resolve(first[:-3])


def test_an_unknown_name_is_answered_with_the_nearest(name):
    save(name)
    with pytest.raises(ModelNotFoundError) as caught:
        store.resolve(name.replace("credit", "cerdit"))
    assert caught.value.nearest.startswith("credit")
    for odd in ("", "Credit!", "../credit", ":"):
        with pytest.raises(ModelNotFoundError):
            store.resolve(odd)


def test_an_alias_moves(name):
    first, second = str(save(name)), str(save(name))
    assert store.set_alias(name, "champion", first.partition(":")[2]) == first
    assert store.set_alias(name, "canary", "champion") == first
    assert store.set_alias(name, "champion") == second
    assert store.aliases(name) == {"canary": first.partition(":")[2], "champion": second.partition(":")[2]}
    store.remove_alias(name, "canary")
    assert store.aliases(name).keys() == {"champion"}


def test_yesterdays_alias_is_readable(name):
    tag = str(save(name))
    text = f'{{"version":"{tag.partition(":")[2]}","protocol":1}}'
    (folder_of(tag).parent / "champion.alias.json").write_text(text)
    assert store.resolve(f"{name}:champion") == tag


@pytest.mark.parametrize("alias", ["latest", "Champion", "", "a/b", "../x", "q6wcj6xh3gzlaasc", "x" * 64])
def test_what_cannot_be_an_alias_is_refused(name, alias):
    save(name)
    with pytest.raises(StoreError, match="cannot be an alias"):
        store.set_alias(name, alias)


def test_an_alias_for_a_version_that_is_not_there_is_refused(name):
    save(name)
    with pytest.raises(ModelNotFoundError):
        store.set_alias(name, "champion", "nonsense")
    with pytest.raises(ModelNotFoundError):
        store.set_alias(name + "x", "champion")
    with pytest.raises(ModelNotFoundError):
        store.remove_alias(name, "champion")


def test_an_alias_whose_version_was_deleted_is_told(name):
    first, _ = save(name), save(name)
    store.set_alias(name, "champion", first.version)
    bentoml.models.delete(first)
    with pytest.raises(ModelNotFoundError, match=r"the alias stands for .*, which was deleted; set it again"):
        store.resolve(f"{name}:champion")


def test_a_broken_alias_is_told(name):
    tag = save(name)
    (folder_of(tag).parent / "champion.alias.json").write_text("{")
    with pytest.raises(StoreError, match=r"champion\.alias\.json cannot be read"):
        store.resolve(f"{name}:champion")
    assert store.aliases(name) == {}
    assert name in names()
    assert store.set_alias(name, "champion") == str(tag)


def test_models_are_listed_with_the_newest_first(name):
    first = save(name, metrics={"roc_auc": 0.8, "accuracy": 0.7})
    second = save(name)
    store.set_alias(name, "champion", first.version)
    entries = [entry for entry in store.models() if entry.name == name]
    assert [entry.tag for entry in entries] == [str(second), str(first)]
    assert [entry.aliases for entry in entries] == [("latest",), ("champion",)]
    assert (entries[1].metric, entries[1].kind) == (("roc_auc", 0.8), "label")
    assert entries[0].metric is None
    assert entries[1].size_bytes == sum(path.stat().st_size for path in folder_of(first).iterdir())


def test_what_another_program_left_half_copied_does_not_hide_the_models(name):
    tag = save(name)
    for half in (folder_of(tag).parent / "half", folder_of(tag).parents[1] / f"{name}-half" / "v1"):
        half.mkdir(parents=True)
    try:
        with pytest.raises(bentoml.exceptions.BentoMLException):
            bentoml.models.list()
        assert name in names()
        assert store.resolve(name) == str(tag)
        (folder_of(tag).parent / "latest").unlink()
        assert store.resolve(name) == str(tag)
    finally:
        (Path(os.environ["BENTOML_HOME"]) / "models" / f"{name}-half" / "v1").rmdir()
        (folder_of(tag).parent / "half").rmdir()


def test_a_model_is_described_without_loading_it(name):
    tag = save(name, metrics={"roc_auc": 0.8})
    (folder_of(tag) / "model.skops").write_bytes(b"not looked at")
    described = store.describe(name)
    assert (described.tag, described.metrics) == (str(tag), {"roc_auc": 0.8})
    assert described.signature.names == tuple(X.columns)
    assert described.card == store.card(name)


# Delete.


def test_a_deleted_version_is_gone_and_the_one_before_is_the_latest(name):
    first, second = str(save(name)), str(save(name))
    store.delete(second)
    assert store.resolve(name) == first
    assert str(bentoml.models.get(name).tag) == first
    store.delete(first)
    with pytest.raises(ModelNotFoundError):
        store.resolve(name)
    assert not (Path(os.environ["BENTOML_HOME"]) / "models" / name).exists()


def test_only_an_exact_version_is_deleted(name):
    tag = str(save(name))
    for other in (name, f"{name}:latest"):
        with pytest.raises(StoreError, match=f"is not an exact version; to delete {tag}, name it so"):
            store.delete(other)


def test_a_version_with_an_alias_is_not_deleted(name):
    tag = str(save(name))
    store.set_alias(name, "champion")
    with pytest.raises(StoreError, match="is champion; first let the alias stand for another version"):
        store.delete(tag)


def test_a_version_that_a_bento_needs_is_not_deleted(name, monkeypatch):
    tag = save(name)

    class Bento:
        tag, path = "service:v1", "/nowhere"

    Bento.info = type("Info", (), {"all_models": [bentoml.models.get(tag)]})
    monkeypatch.setattr(bentoml, "list", lambda: [Bento])
    with pytest.raises(StoreError, match="is needed by service:v1"):
        store.delete(str(tag))
