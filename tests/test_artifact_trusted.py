"""Every estimator of scikit-learn and XGBoost, and what is usually built of them, is stored and read back equal."""

from __future__ import annotations

import importlib

import numpy as np
import pandas as pd
import pytest
import threadpoolctl
import xgboost
from sklearn import (
    calibration,
    compose,
    feature_extraction,
    feature_selection,
    gaussian_process,
    impute,
    isotonic,
    metrics,
    model_selection,
    multiclass,
    neighbors,
    neural_network,
    preprocessing,
    svm,
)
from sklearn.ensemble import (
    BaggingClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.gaussian_process import kernels
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier, SGDRegressor
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils import all_estimators

from ekiben.artifact import native
from ekiben.artifact.trusted import TRUSTED, is_standard, untrusted

ROWS = 60
_random = np.random.default_rng(0)
X = np.abs(_random.normal(size=(ROWS, 4))) + 0.1
Y = (X[:, 0] + X[:, 1] > 1.8).astype(int)
Y3 = np.arange(ROWS) % 3
NUMBER = X @ [1.0, 2.0, 3.0, 4.0]
FRAME = pd.DataFrame(
    {
        "age": X[:, 0],
        "income": np.where(np.arange(ROWS) == 3, np.nan, X[:, 1]),
        "city": pd.Categorical(["x", "y", "z"] * 20),
        "job": pd.Series(["p", "q"] * 30, dtype="str"),
    }
)
TEXTS = pd.Series(["the cat sat", "a dog ran", "red fox"] * 20, dtype="str")

MADE_OF_OTHERS = {
    "ClassifierChain", "ColumnTransformer", "FeatureUnion", "FixedThresholdClassifier", "FrozenEstimator", "GridSearchCV",
    "HalvingGridSearchCV", "HalvingRandomSearchCV", "MultiOutputClassifier", "MultiOutputRegressor", "OneVsOneClassifier",
    "OneVsRestClassifier", "OutputCodeClassifier", "Pipeline", "RFE", "RFECV", "RandomizedSearchCV", "RegressorChain",
    "SelectFromModel", "SelfTrainingClassifier", "SequentialFeatureSelector", "SparseCoder", "StackingClassifier",
    "StackingRegressor", "TunedThresholdClassifierCV", "VotingClassifier", "VotingRegressor",
}  # fmt: skip
"""They need another estimator; the usual ones are among `built`."""

TAKES_NO_TABLE = {
    "CountVectorizer", "DictVectorizer", "FeatureHasher", "HashingVectorizer", "IsotonicRegression", "KernelCenterer",
    "LabelBinarizer", "LabelEncoder", "MultiLabelBinarizer", "PatchExtractor", "TfidfVectorizer",
}  # fmt: skip
"""They transform targets, texts or images; those for texts are among `built`."""

SEVERAL_TARGETS = {"CCA", "PLSCanonical"}
NOT_STORABLE = {"Birch"}  # skops refuses it
CANNOT_PREDICT = {"AgglomerativeClustering", "DBSCAN", "HDBSCAN", "OPTICS", "SpectralBiclustering", "SpectralClustering",
                  "SpectralCoclustering", "EmpiricalCovariance", "GraphicalLasso", "GraphicalLassoCV", "KernelDensity",
                  "LedoitWolf", "LocalOutlierFactor", "MinCovDet", "NearestNeighbors", "OAS", "ShrunkCovariance"}  # fmt: skip
CANNOT_TRANSFORM = {"ClassicalMDS", "MDS", "PLSSVD", "SpectralEmbedding", "TSNE"}
LIES_ELSEWHERE = {"LabelPropagation", "LabelSpreading"}
"""Where the array lies decides in which order BLAS sums it up: equal but for the last bit."""

SETTINGS = {
    "GaussianRandomProjection": {"n_components": 2},
    "MissingIndicator": {"features": "all"},
    "OrthogonalMatchingPursuitCV": {"max_iter": 2},
    "HistGradientBoostingClassifier": {"max_iter": 2},
    "HistGradientBoostingRegressor": {"max_iter": 2},
    "SparseRandomProjection": {"n_components": 2},
}

ESTIMATORS = dict(all_estimators())
NAMES = sorted(
    ESTIMATORS.keys() - MADE_OF_OTHERS - TAKES_NO_TABLE - NOT_STORABLE - CANNOT_PREDICT - CANNOT_TRANSFORM
)  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    with threadpoolctl.threadpool_limits(1):  # tables are tiny: threads would only wait for each other
        yield


def round_trip(estimator):
    files, needed = native.dump(estimator)
    assert needed == ()
    return native.load(files)


def answers(estimator, rows):
    methods = [name for name in ("predict", "predict_proba", "decision_function") if hasattr(estimator, name)]
    return [np.asarray(getattr(estimator, name)(rows)) for name in methods]


def assert_same(estimator, rows, *, exactly=True):
    for mine, theirs in zip(answers(estimator, rows), answers(round_trip(estimator), rows), strict=True):
        if exactly:
            np.testing.assert_array_equal(mine, theirs)
        else:
            np.testing.assert_allclose(mine, theirs, rtol=1e-14, atol=1e-14)


@pytest.mark.filterwarnings("ignore")  # tiny data makes estimators warn
@pytest.mark.parametrize("name", NAMES)
def test_an_estimator_of_scikit_learn_answers_the_same_after_a_round_trip(name):
    estimator = ESTIMATORS[name]()
    known = estimator.get_params()
    small = {"random_state": 0, "n_estimators": 3, "max_iter": 20, "n_init": 1, "n_quantiles": 10}
    estimator.set_params(
        **{key: value for key, value in small.items() if key in known} | SETTINGS.get(name, {})
    )
    if not hasattr(estimator, "predict"):
        estimator = make_pipeline(estimator, DecisionTreeClassifier(random_state=0))
    target = (
        NUMBER if getattr(estimator, "_estimator_type", "") == "regressor" or name.startswith("PLS") else Y
    )
    target = target + 1 if name == "GammaRegressor" else target
    if name.startswith("MultiTask") or name in SEVERAL_TARGETS:
        target = np.c_[NUMBER, NUMBER[::-1]]
    assert_same(estimator.fit(X, target), X, exactly=name not in LIES_ELSEWHERE)


def columns(*, output="default"):
    numbers = make_pipeline(impute.SimpleImputer(add_indicator=True), preprocessing.StandardScaler())
    return compose.ColumnTransformer(
        [
            ("numbers", numbers, compose.make_column_selector(dtype_include=float)),
            (
                "words",
                preprocessing.OneHotEncoder(handle_unknown="ignore", sparse_output=False),
                ["city", "job"],
            ),
        ]
    ).set_output(transform=output)


def forest():
    return RandomForestClassifier(3, random_state=0)


def booster():
    return xgboost.XGBClassifier(n_estimators=2, n_jobs=1)


def search(kind=model_selection.GridSearchCV, estimator=None, space=None, **settings):
    return kind(
        LogisticRegression() if estimator is None else estimator,
        space or {"C": [1, 2]},
        **{"cv": 3, **settings},
    )


def in_front(transformer, model=None):
    return make_pipeline(transformer, LogisticRegression() if model is None else model)


def built():
    """Return (estimator, rows, target) of what people build, by name."""
    tables = {
        "columns and a linear model": in_front(columns()),
        "columns as a frame and a forest": in_front(columns(output="pandas"), forest()),
        "columns and a booster": in_front(columns(), booster()),
        "a search over a pipeline": search(
            estimator=in_front(columns()), space={"logisticregression__C": [1, 2]}
        ),
        "ordinals and a forest": in_front(
            compose.make_column_transformer(
                (
                    preprocessing.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
                    ["city", "job"],
                ),
                remainder="passthrough",
            ),
            HistGradientBoostingClassifier(max_iter=2, categorical_features=[0, 1]),
        ),
        "target encoder": in_front(
            compose.make_column_transformer((preprocessing.TargetEncoder(random_state=0), ["city"]))
        ),
    }
    labels = {
        **{f"calibration {method}": calibration.CalibratedClassifierCV(svm.LinearSVC(), method=method, cv=2)
           for method in ("sigmoid", "isotonic", "temperature")},
        "calibration of a frozen model": calibration.CalibratedClassifierCV(FrozenEstimator(svm.SVC().fit(X, Y))),
        **{f"sgd {loss}": SGDClassifier(loss=loss, random_state=0)
           for loss in ("hinge", "log_loss", "modified_huber", "squared_hinge")},
        **{f"svm {kernel}": svm.SVC(kernel=kernel) for kernel in ("linear", "poly", "sigmoid")},
        **{f"network {solver}": neural_network.MLPClassifier((3,), solver=solver, max_iter=5, random_state=0)
           for solver in ("sgd", "adam", "lbfgs")},
        **{f"neighbours {algorithm} {metric}": neighbors.KNeighborsClassifier(algorithm=algorithm, metric=metric)
           for algorithm in ("kd_tree", "ball_tree", "brute") for metric in ("manhattan", "minkowski", "chebyshev")},
        **{f"neighbours {metric}": neighbors.KNeighborsClassifier(algorithm="ball_tree", metric=metric)
           for metric in ("canberra", "braycurtis", "hamming")},
        "outliers, novelty": neighbors.LocalOutlierFactor(novelty=True),
        "boosting": GradientBoostingClassifier(n_estimators=2),
        "boosting, exponential": GradientBoostingClassifier(n_estimators=2, loss="exponential", init=LogisticRegression()),
        "booster forest": xgboost.XGBRFClassifier(n_estimators=2),
        "stacking": StackingClassifier([("forest", forest()), ("svm", svm.SVC()), ("booster", booster())], cv=2),
        "voting": VotingClassifier([("forest", forest()), ("booster", booster())], voting="soft"),
        "bagging of boosters": BaggingClassifier(booster(), n_estimators=2, random_state=0),
        "threshold, tuned": model_selection.TunedThresholdClassifierCV(LogisticRegression(), scoring="f1", cv=2),
        "threshold, fixed": model_selection.FixedThresholdClassifier(LogisticRegression(), threshold=0.3),
        "one against the rest": multiclass.OneVsRestClassifier(svm.SVC()),
        "one against one": multiclass.OneVsOneClassifier(svm.LinearSVC()),
        **{f"search by {scoring}": search(scoring=scoring) for scoring in ("roc_auc", "f1", "neg_log_loss", "neg_brier_score")},
        "search by two scores": search(scoring=["roc_auc", "f1"], refit="roc_auc"),
        "search by a score of one's own": search(scoring=metrics.make_scorer(metrics.fbeta_score, beta=2)),
        "search over a range": search(estimator=forest(), space={"max_depth": range(1, 3)}),
        **{f"search in {type(split).__name__}": search(cv=split) for split in (
            model_selection.StratifiedKFold(2), model_selection.ShuffleSplit(2, random_state=0),
            model_selection.RepeatedStratifiedKFold(n_splits=2, n_repeats=2, random_state=0))},
        **{f"best features by {function.__name__}": in_front(feature_selection.SelectKBest(function, k=2)) for function in (
            feature_selection.f_classif, feature_selection.chi2, feature_selection.mutual_info_classif)},
        "features of a forest": in_front(feature_selection.SelectFromModel(forest())),
        "features, recursively": feature_selection.RFECV(LogisticRegression(), cv=2),
        **{f"function {getattr(function, '__name__', function)}": in_front(preprocessing.FunctionTransformer(function))
           for function in (np.log1p, np.expm1, np.sqrt, np.square, np.exp, np.log, np.abs, np.sin, np.cbrt, np.log10,
                            np.sign, np.tanh, np.nan_to_num, np.round, np.asarray)},
        "union": in_front(FeatureUnion([("s", preprocessing.StandardScaler()), ("p", preprocessing.PolynomialFeatures())])),
        "splines": in_front(preprocessing.SplineTransformer(extrapolation="periodic")),
        "a random state of its own": RandomForestClassifier(3, random_state=np.random.RandomState(0)),
    }  # fmt: skip
    numbers = {
        **{f"boosting {loss}": GradientBoostingRegressor(loss=loss, n_estimators=2)
           for loss in ("huber", "quantile", "absolute_error")},
        **{f"histograms {loss}": HistGradientBoostingRegressor(loss=loss, max_iter=2)
           for loss in ("poisson", "gamma", "absolute_error")},
        "histograms quantile": HistGradientBoostingRegressor(loss="quantile", quantile=0.3, max_iter=2),
        **{f"sgd {loss}": SGDRegressor(loss=loss, random_state=0) for loss in ("huber", "epsilon_insensitive")},
        **{f"search by {scoring}": search(estimator=Ridge(), space={"alpha": [1, 2]}, scoring=scoring)
           for scoring in ("r2", "neg_root_mean_squared_error", "neg_mean_absolute_error")},
        "search in time": search(estimator=Ridge(), space={"alpha": [1, 2]}, cv=model_selection.TimeSeriesSplit(2)),
        "log of the target": compose.TransformedTargetRegressor(Ridge(), func=np.log1p, inverse_func=np.expm1),
        **{f"gaussian process {kernel}": gaussian_process.GaussianProcessRegressor(kernel) for kernel in (
            kernels.RBF() + kernels.WhiteKernel(), kernels.Matern() * kernels.ConstantKernel(),
            kernels.RationalQuadratic(), kernels.DotProduct() ** 2)},
        **{f"best features by {function.__name__}": in_front(feature_selection.SelectKBest(function, k=2), Ridge())
           for function in (feature_selection.f_regression, feature_selection.r_regression)},
        "booster": xgboost.XGBRegressor(n_estimators=2),
        "booster forest": xgboost.XGBRFRegressor(n_estimators=2),
        "tree": DecisionTreeRegressor(),
    }  # fmt: skip
    words = {
        "tf-idf": in_front(TfidfVectorizer(stop_words="english")),
        "counts": in_front(CountVectorizer(ngram_range=(1, 2))),
        "hashes": in_front(HashingVectorizer(n_features=32)),
    }
    return {
        **{f"table: {name}": (estimator, FRAME, Y) for name, estimator in tables.items()},
        **{f"label: {name}": (estimator, X, Y) for name, estimator in labels.items()},
        **{f"number: {name}": (estimator, X, NUMBER) for name, estimator in numbers.items()},
        **{f"text: {name}": (estimator, TEXTS, Y) for name, estimator in words.items()},
        "three classes: booster": (booster(), X, Y3),
        "three classes: gaussian process": (gaussian_process.GaussianProcessClassifier(), X, Y3),
        "one column: isotonic": (isotonic.IsotonicRegression(), X[:, :1], NUMBER),
        "records": (in_front(feature_extraction.DictVectorizer()), [{"a": 1, "b": "x"}, {"a": 2}] * 30, Y),
    }


BUILT = built()


@pytest.mark.filterwarnings("ignore")  # tiny data makes estimators warn
@pytest.mark.parametrize("name", BUILT)
def test_what_people_build_answers_the_same_after_a_round_trip(name):
    estimator, rows, target = BUILT[name]
    assert_same(estimator.fit(rows, target), rows)


def test_the_list_is_sorted_and_holds_no_name_twice():
    assert list(TRUSTED) == sorted(set(TRUSTED))


def test_every_name_of_the_list_exists():
    for name in TRUSTED:
        module, _, attribute = name.rpartition(".")
        assert hasattr(importlib.import_module(module), attribute), name


def test_nothing_that_runs_code_of_a_file_is_on_the_list():
    dangerous = ["scipy.stats._distn_infrastructure.rv_continuous_frozen", "operator.methodcaller", "builtins.eval",
                 "os.system", "xgboost.core.Booster"]  # fmt: skip
    assert untrusted(dangerous) == tuple(sorted(dangerous))


def test_nothing_is_trusted_by_prefix():
    assert untrusted(["sklearn.tree._tree.TreeOfMine", "numpy.load"]) == (
        "numpy.load",
        "sklearn.tree._tree.TreeOfMine",
    )


def test_what_was_named_is_trusted():
    assert untrusted(["shop.Ratio", "shop.Other"], ["shop.Ratio"]) == ("shop.Other",)


def test_the_standard_library_is_recognised():
    assert is_standard("posix.system")
    assert not is_standard("numpy.load")
