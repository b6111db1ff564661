"""Estimators as files without pickle: boosters apart, bit-equal, and only what was vouched for is built."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import textwrap
import zipfile

import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from ekiben.artifact import native
from ekiben.artifact.graph import walk
from ekiben.errors import ArtifactError, SaveError, UntrustedTypeError

ROWS = 120
_random = np.random.default_rng(0)
X = pd.DataFrame(_random.normal(size=(ROWS, 3)), columns=["a (K)", "b", "c"])
X["kind"] = pd.Categorical(_random.choice(["x", "y", "z"], ROWS))
X.loc[::7, "b"] = np.nan
NUMBERS = X[["a (K)", "b", "c"]]
Y = (X["a (K)"] + _random.normal(size=ROWS) > 0).astype(int)
Y3 = pd.Series(np.digitize(X["c"], [-0.5, 0.5]))

SHOP = '''
import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

def ratio(X):
    return np.asarray(X)[:, :1] / 2

class Ratio(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.n_features_in_ = 3
        return self

    def transform(self, X):
        return ratio(X)

class Kept(BaseEstimator):
    """Holds a booster that is no XGBModel's, in a list and in a dict."""

    def fit(self, X, y):
        import xgboost
        self.boosters_ = [xgboost.train({"max_depth": 2}, xgboost.DMatrix(X, y), 3)]
        self.by_name_ = {"first": self.boosters_[0]}
        return self

    def predict(self, X):
        import xgboost
        return self.by_name_["first"].predict(xgboost.DMatrix(X))
'''


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A module of the user's own."""
    (tmp_path / "shop_features.py").write_text(SHOP)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield __import__("shop_features")
    sys.modules.pop("shop_features")


def booster(kind=xgboost.XGBClassifier, **settings):
    return kind(**{"n_estimators": 5, "max_depth": 3, "n_jobs": 1, **settings})


def round_trip(estimator, trust=()):
    files, needed = native.dump(estimator, trust)
    return native.load(files, needed), files


def boosters(files):
    return sorted(name for name in files if name != "model.skops")


MODELS = {
    "binary": (booster(), NUMBERS, Y),
    "many classes": (booster(), NUMBERS, Y3),
    "categories": (booster(enable_categorical=True), X, Y),
    "dart": (booster(booster="dart", rate_drop=0.5, random_state=0), NUMBERS, Y),
    "several trees for each class": (booster(multi_strategy="one_output_per_tree"), NUMBERS, Y3),
    "a base score": (booster(base_score=0.3), NUMBERS, Y),
    "number": (booster(xgboost.XGBRegressor), NUMBERS, X["c"]),
    "quantile": (
        booster(xgboost.XGBRegressor, objective="reg:quantileerror", quantile_alpha=0.9),
        NUMBERS,
        X["c"],
    ),
    "forest": (booster(xgboost.XGBRFRegressor), NUMBERS, X["c"]),
}


@pytest.mark.parametrize("name", MODELS)
def test_an_xgboost_model_answers_with_the_same_bits(name):
    estimator, rows, target = MODELS[name]
    estimator.fit(rows, target)
    again, files = round_trip(estimator)
    assert boosters(files) == ["booster-0.ubj"]
    np.testing.assert_array_equal(estimator.predict(rows), again.predict(rows))
    if hasattr(estimator, "predict_proba"):
        np.testing.assert_array_equal(estimator.predict_proba(rows), again.predict_proba(rows))
        np.testing.assert_array_equal(estimator.classes_, again.classes_)
        assert again.n_classes_ == estimator.n_classes_
    assert list(again.feature_names_in_) == list(rows.columns)
    assert again.get_booster().feature_types == estimator.get_booster().feature_types
    assert again.get_booster().get_dump() == estimator.get_booster().get_dump()
    assert again.get_params() == pytest.approx(estimator.get_params(), nan_ok=True)


def test_early_stopping_is_kept():
    estimator = booster(n_estimators=200, early_stopping_rounds=2, eval_metric="logloss")
    estimator.fit(NUMBERS[:80], Y[:80], eval_set=[(NUMBERS[80:], Y[80:])], verbose=False)
    again, _ = round_trip(estimator)
    assert again.best_iteration == estimator.best_iteration < 199
    assert again.best_score == estimator.best_score
    assert again.evals_result() == estimator.evals_result()
    np.testing.assert_array_equal(estimator.predict_proba(NUMBERS), again.predict_proba(NUMBERS))


def test_early_stopping_by_a_callback_is_kept():
    stop = xgboost.callback.EarlyStopping(rounds=2, save_best=True)
    estimator = booster(n_estimators=50, callbacks=[stop], eval_metric="logloss")
    estimator.fit(NUMBERS[:80], Y[:80], eval_set=[(NUMBERS[80:], Y[80:])], verbose=False)
    again, _ = round_trip(estimator)
    assert again.best_iteration == estimator.best_iteration
    np.testing.assert_array_equal(estimator.predict_proba(NUMBERS), again.predict_proba(NUMBERS))


def test_a_ranker_answers_with_the_same_bits():
    estimator = booster(xgboost.XGBRanker).fit(NUMBERS, Y, qid=np.repeat(range(12), 10))
    again, _ = round_trip(estimator)
    np.testing.assert_array_equal(estimator.predict(NUMBERS), again.predict(NUMBERS))


def test_a_loaded_booster_has_as_many_threads_as_its_model_says():
    again, _ = round_trip(booster(n_jobs=1).fit(NUMBERS, Y))
    config = json.loads(again.get_booster().save_config())
    assert config["learner"]["generic_param"]["nthread"] == "1"


INSIDE = {
    "a pipeline": (make_pipeline(StandardScaler(), booster()), 1),
    "a calibration": (CalibratedClassifierCV(booster(), cv=3), 3),
    "a vote": (VotingClassifier([("one", booster()), ("two", booster(max_depth=2))], voting="soft"), 2),
    "a stack": (
        StackingClassifier([("one", booster()), ("log", make_pipeline(StandardScaler(), booster()))], cv=2),
        2,
    ),
    "a bag": (BaggingClassifier(booster(), n_estimators=2, random_state=0), 2),
    "a search": (GridSearchCV(make_pipeline(booster()), {"xgbclassifier__max_depth": [1, 2]}, cv=2), 1),
    "all of them": (
        make_pipeline(StandardScaler(), VotingClassifier([("b", CalibratedClassifierCV(booster(), cv=2))])),
        2,
    ),
}


@pytest.mark.parametrize("name", INSIDE)
def test_boosters_are_found_inside(name):
    estimator, count = INSIDE[name]
    estimator.fit(NUMBERS.fillna(0), Y)
    before = id(next(place.value for place in walk(estimator) if isinstance(place.value, xgboost.Booster)))
    again, files = round_trip(estimator)
    assert boosters(files) == [f"booster-{k}.ubj" for k in range(count)]
    np.testing.assert_array_equal(estimator.predict(NUMBERS.fillna(0)), again.predict(NUMBERS.fillna(0)))
    after = id(next(place.value for place in walk(estimator) if isinstance(place.value, xgboost.Booster)))
    assert before == after, "the caller's estimator was changed"


def test_the_skops_file_holds_no_booster():
    _, files = round_trip(make_pipeline(booster()).fit(NUMBERS, Y))
    schema = zipfile.ZipFile(io.BytesIO(files["model.skops"])).read("schema.json").decode()
    assert "xgboost.core" not in schema
    assert "ekiben:booster-0.ubj" in schema


def test_a_booster_that_is_no_models_is_found_too(shop):
    estimator = shop.Kept().fit(NUMBERS, Y)
    again, files = round_trip(estimator, ["shop_features.Kept"])
    assert boosters(files) == ["booster-0.ubj"]
    assert again.boosters_[0] is again.by_name_["first"]
    np.testing.assert_array_equal(estimator.predict(NUMBERS), again.predict(NUMBERS))


def test_a_text_that_looks_like_the_mark_of_a_booster_is_refused():
    estimator = LogisticRegression().fit(NUMBERS.fillna(0), Y)
    estimator.note = "ekiben:booster-0.ubj"
    with pytest.raises(SaveError, match=r"estimator\.note is 'ekiben:booster-0\.ubj'"):
        native.dump(estimator)


def test_a_missing_booster_is_told():
    _, files = round_trip(booster().fit(NUMBERS, Y))
    del files["booster-0.ubj"]
    with pytest.raises(ArtifactError, match=r"needs booster-0\.ubj"):
        native.load(files)


def test_a_booster_that_nothing_needs_is_told():
    _, files = round_trip(LogisticRegression().fit(NUMBERS.fillna(0), Y))
    with pytest.raises(ArtifactError, match=r"nothing in model\.skops needs booster-3\.ubj"):
        native.load({**files, "booster-3.ubj": b""})


def test_a_broken_booster_is_told():
    _, files = round_trip(booster().fit(NUMBERS, Y))
    with pytest.raises(ArtifactError, match="this xgboost cannot read its booster"):
        native.load({**files, "booster-0.ubj": b"{no"})


def test_a_broken_skops_file_is_told():
    with pytest.raises(ArtifactError, match=r"model\.skops cannot be read"):
        native.load({"model.skops": b"no zip"})


# What nobody vouched for.


def own(step, rows=NUMBERS):
    return make_pipeline(step, LogisticRegression()).fit(rows.fillna(0), Y)


def test_an_estimator_of_ones_own_is_stored_if_it_is_named(shop):
    estimator = own(shop.Ratio())
    files, needed = native.dump(estimator, ["shop_features.Ratio", "shop_features.not_in_it"])
    assert needed == ("shop_features.Ratio",)
    again = native.load(files, needed)
    np.testing.assert_array_equal(
        estimator.predict_proba(NUMBERS.fillna(0)), again.predict_proba(NUMBERS.fillna(0))
    )


def test_the_type_itself_is_as_good_as_its_name(shop):
    assert native.dump(own(shop.Ratio()), [shop.Ratio])[1] == ("shop_features.Ratio",)


def test_a_function_of_ones_own_is_stored_if_it_is_named(shop):
    estimator = own(FunctionTransformer(shop.ratio))
    files, needed = native.dump(estimator, [shop.ratio])
    assert needed == ("shop_features.ratio",)
    assert native.load(files, needed).predict(NUMBERS.fillna(0)).shape == (ROWS,)


def test_what_was_not_named_is_refused_at_save(shop):
    with pytest.raises(
        UntrustedTypeError, match=r"save the model with trust=\['shop_features.Ratio'\]"
    ) as caught:
        native.dump(own(shop.Ratio()))
    assert caught.value.types == ("shop_features.Ratio",)


def test_a_misspelt_name_is_pointed_out(shop):
    with pytest.raises(
        UntrustedTypeError, match=r"did you write 'shop_feature.Ratio' for 'shop_features.Ratio'"
    ):
        native.dump(own(shop.Ratio()), ["shop_feature.Ratio"])


def test_what_was_not_named_is_refused_at_load(shop):
    files, _ = native.dump(own(shop.Ratio()), [shop.Ratio])
    with pytest.raises(UntrustedTypeError, match=r"the model asks for shop_features.Ratio") as caught:
        native.load(files)
    assert caught.value.types == ("shop_features.Ratio",)


def test_a_module_that_is_not_there_is_told(shop, monkeypatch):
    files, needed = native.dump(own(shop.Ratio()), [shop.Ratio])
    monkeypatch.delitem(sys.modules, "shop_features")
    monkeypatch.setattr(sys, "path", sys.path[1:])
    with pytest.raises(ArtifactError, match=r"cannot be imported here: No module named 'shop_features'"):
        native.load(files, needed)
    sys.modules["shop_features"] = shop


def test_the_standard_library_cannot_be_named():
    with pytest.raises(UntrustedTypeError, match=r"os\.system"):
        native.dump(LogisticRegression().fit(NUMBERS.fillna(0), Y), ["os.system"])


def test_a_manifest_that_names_the_standard_library_is_refused_before_anything_is_built():
    forged = forge(own(FunctionTransformer(np.log1p), NUMBERS.abs()), "posix", "system")
    with pytest.raises(UntrustedTypeError, match=r"posix\.system"):
        native.load(forged)
    with pytest.raises(UntrustedTypeError, match="cannot be trusted by naming it"):
        native.load(forged, ["posix.system"])


def forge(estimator, module, name):
    """Return the files of an estimator whose function is another."""
    files, _ = native.dump(estimator)
    source = zipfile.ZipFile(io.BytesIO(files["model.skops"]))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as forged:
        for each in source.namelist():
            data = source.read(each)
            if each == "schema.json":
                schema = data.decode()
                assert '"log1p"' in schema
                data = schema.replace('"log1p"', f'"{name}"').replace('"numpy"', f'"{module}"', 1).encode()
            forged.writestr(each, data)
    return {"model.skops": target.getvalue()}


def test_a_lambda_is_refused():
    with pytest.raises(SaveError, match=r"steps\[0\]\[1\]\.func is a lambda"):
        native.dump(own(FunctionTransformer(lambda rows: rows)))


def test_what_is_defined_inside_a_function_is_refused():
    class Local(TransformerMixin, BaseEstimator):
        def fit(self, X, y=None):
            return self

        def transform(self, X):
            return X

    with pytest.raises(SaveError, match="defined inside a function"):
        native.dump(own(Local()), ["whatever.Local"])


def test_what_the_running_script_defines_is_refused(tmp_path):
    script = tmp_path / "train.py"
    script.write_text(
        textwrap.dedent("""
        import numpy as np
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import FunctionTransformer
        from ekiben.artifact import native

        def halve(rows):
            return np.asarray(rows)

        model = make_pipeline(FunctionTransformer(halve), LogisticRegression()).fit([[0], [1]], [0, 1])
        native.dump(model, ["__main__.halve"])
        """)
    )
    done = subprocess.run(
        [sys.executable, script], check=False, capture_output=True, text=True, env={"PYTHONPATH": "."}
    )
    assert "SaveError: estimator.steps[0][1].func uses halve of the script that runs" in done.stderr
    assert "trust=['features.halve']" in done.stderr


def test_what_is_not_fitted_is_refused():
    for estimator in (LogisticRegression(), make_pipeline(StandardScaler(), booster()), booster()):
        with pytest.raises(SaveError, match="is not fitted"):
            native.dump(estimator)


def test_what_cannot_predict_is_refused():
    with pytest.raises(SaveError, match="StandardScaler has no `predict`"):
        native.dump(StandardScaler().fit(NUMBERS))


def test_what_cannot_be_written_is_named_by_its_place():
    estimator = make_pipeline(make_column_transformer((StandardScaler(), ["c"])), LogisticRegression()).fit(
        NUMBERS, Y
    )
    estimator[0].table = pd.DataFrame({"a": [1]})
    with pytest.raises(
        SaveError, match=r"estimator\.steps\[0\]\[1\]\.table.* cannot be written without pickle"
    ):
        native.dump(estimator)


class Centred(TransformerMixin, BaseEstimator):
    """Keeps a pandas object."""

    def fit(self, X, y=None):
        self.means_ = X.mean()
        return self

    def transform(self, X):
        return X - self.means_


def test_a_pandas_object_in_an_estimator_is_named_with_what_to_keep_instead():
    estimator = make_pipeline(Centred(), LogisticRegression()).fit(NUMBERS.fillna(0.0), Y)
    with pytest.raises(SaveError, match=r"means_ is a pandas Series.*keep its \.to_numpy\(\), or a dict"):
        native.dump(estimator, trust=[Centred])
