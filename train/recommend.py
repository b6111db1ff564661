"""Recommend: how likely is it that a customer takes an item that is shown.

    python train/recommend.py                                    # simulated (train/simulate/recommend.py)
    python train/recommend.py --data offers.csv --target taken

A shop ranks its items by this number, or multiplies it by a margin: the probability itself has to be right, not only
its order. So the models are compared by the log loss.
"""

from simulate.recommend import draw
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import ekiben
from ekiben import fit

NAME = "recommend"
UNITS = {"item_price": "EUR", "discount": "%", "since_visit": "days", "usual_basket": "EUR"}
args = fit.arguments(__doc__, target="taken")

frame = fit.read(args.data) if args.data else draw(4_000 if args.quick else 20_000, args.seed)
table = fit.prepare(frame, args.target, drop=args.drop, wanted="classification")
part = fit.split(table, seed=args.seed)
fit.show(table)

encoder = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=5, sparse_output=False)
filled = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
dense = ColumnTransformer([("numbers", filled, table.numbers), ("categories", encoder, table.categories)])
raw = ColumnTransformer(
    [("numbers", "passthrough", table.numbers), ("categories", encoder, table.categories)]
)
boosting = HistGradientBoostingClassifier(
    max_iter=80, learning_rate=0.06, max_leaf_nodes=15, early_stopping=False, random_state=args.seed
)
candidates = {
    "logistic": make_pipeline(dense, LogisticRegression(max_iter=5_000)),
    "forest": make_pipeline(dense, RandomForestClassifier(100, min_samples_leaf=10, random_state=args.seed)),
    "boosting": make_pipeline(raw, boosting),
}
folds = 3 if args.quick else 5
validation = fit.CrossValidation(table.task, folds, args.seed, metric="neg_log_loss")
comparison = fit.compare(candidates, part.X_train, part.y_train, validation)
fit.show(comparison)

# The best goes on; the ranges belong to it.
spaces = {
    "logistic": lambda trial: {"logisticregression__C": trial.suggest_float("C", 1e-3, 1e2, log=True)},
    "forest": lambda trial: {
        "randomforestclassifier__max_features": trial.suggest_float("max_features", 0.1, 1.0),
        "randomforestclassifier__min_samples_leaf": trial.suggest_int("min_samples_leaf", 3, 50, log=True),
    },
    "boosting": lambda trial: {
        "histgradientboostingclassifier__max_iter": trial.suggest_int("max_iter", 40, 300, log=True),
        "histgradientboostingclassifier__learning_rate": trial.suggest_float(
            "learning_rate", 0.02, 0.2, log=True
        ),
        "histgradientboostingclassifier__max_leaf_nodes": trial.suggest_int(
            "max_leaf_nodes", 4, 31, log=True
        ),
    },
}
best = comparison.best
trials = 4 if args.quick else 30
tuned = fit.tune(candidates[best], spaces[best], part.X_train, part.y_train, validation, trials=trials)
fit.show(tuned)

model = tuned.pipeline.fit(part.X_train, part.y_train)
metrics = fit.evaluate(model, part.X_test, part.y_test, table.task)
fit.show(f"{best} on {len(part.X_test):,} rows held out:", metrics)

tag = ekiben.save(
    NAME,
    model,
    signature=fit.signature(table, part, units=UNITS),
    sample=part.X_test,
    labels=table.labels(part.y_test),
    metrics=metrics,
    seed=args.seed,
    training=part.X_train,
)
fit.show(f"saved {tag}; next: ekiben serve {NAME}")
