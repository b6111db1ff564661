"""Fraud: is a card payment fraudulent. Rare events: eight in a thousand.

    python train/fraud.py                                        # simulated (train/simulate/fraud.py)
    python train/fraud.py --data payments.parquet --target fraud

Accuracy says nothing here: a model that never rings is right 99 times in 100. Models are compared by average precision
(the area under precision over recall), and judged by how many frauds they find if one honest payment in a hundred may
ring, too.
"""

from simulate.fraud import draw
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import ekiben
from ekiben import fit
from ekiben.fit.evaluation import recall_at

NAME = "fraud"
UNITS = {"amount": "EUR", "hour": "h", "distance_home": "km", "since_last": "min", "card_age": "days"}
FALSE_ALARMS = 0.01
args = fit.arguments(__doc__, target="fraud")

frame = fit.read(args.data) if args.data else draw(20_000 if args.quick else 40_000, args.seed)
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
forest = RandomForestClassifier(
    100, min_samples_leaf=5, class_weight="balanced_subsample", random_state=args.seed
)
candidates = {
    "logistic": make_pipeline(dense, LogisticRegression(max_iter=5_000)),
    "forest": make_pipeline(dense, forest),
    "boosting": Pipeline([("columns", raw), ("model", boosting)]),
}
folds = 3 if args.quick else 5
validation = fit.CrossValidation(table.task, folds, args.seed, metric="average_precision")
fit.show(fit.compare(candidates, part.X_train, part.y_train, validation))

tuned = fit.tune(
    candidates["boosting"],
    lambda trial: {
        "model__max_iter": trial.suggest_int("max_iter", 40, 200, log=True),
        "model__learning_rate": trial.suggest_float("learning_rate", 0.02, 0.2, log=True),
        "model__max_leaf_nodes": trial.suggest_int("max_leaf_nodes", 4, 31, log=True),
        "model__min_samples_leaf": trial.suggest_int("min_samples_leaf", 5, 100, log=True),
        "model__l2_regularization": trial.suggest_float("l2", 1e-2, 50, log=True),
    },
    part.X_train,
    part.y_train,
    validation,
    trials=4 if args.quick else 30,
)
fit.show(tuned)

model = tuned.pipeline.fit(part.X_train, part.y_train)
found = recall_at(part.y_test, model.predict_proba(part.X_test)[:, 1], FALSE_ALARMS)
figures = fit.evaluate(model, part.X_test, part.y_test, table.task)
# The main metric comes first.
main = {"average_precision": figures["average_precision"], "recall_at_1_percent_false_alarms": found}
metrics = main | figures
fit.show(f"on {len(part.X_test):,} rows held out:", metrics)
fit.show(f"{found:.0%} of the frauds are found if {FALSE_ALARMS:.0%} of the honest payments may ring")

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
