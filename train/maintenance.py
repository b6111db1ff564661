"""Maintenance: will a milling machine fail at a job. Random forest.

python train/maintenance.py                                          # simulated (train/simulate/maintenance.py)
python train/maintenance.py --data ai4i2020.csv --target "Machine failure"
"""

from simulate.maintenance import draw
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import ekiben
from ekiben import fit

NAME = "maintenance"
# In the AI4I 2020 data: the kinds of failure, noted down together with the failure itself, and the number of the job.
NOT_KNOWN_BEFORE = ["TWF", "HDF", "PWF", "OSF", "RNF", "UDI", "Product ID"]
args = fit.arguments(__doc__, target="Machine failure")

frame = fit.read(args.data) if args.data else draw(3_000 if args.quick else 12_000, args.seed)
frame = frame.drop(columns=NOT_KNOWN_BEFORE, errors="ignore")
table = fit.prepare(frame, args.target, drop=args.drop, wanted="classification")
part = fit.split(table, seed=args.seed)
fit.show(table)

encoder = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=5, sparse_output=False)
filled = SimpleImputer(strategy="median", add_indicator=True)
columns = ColumnTransformer([("numbers", filled, table.numbers), ("categories", encoder, table.categories)])
forest = Pipeline(
    [
        ("columns", columns),
        ("model", RandomForestClassifier(100, min_samples_leaf=2, n_jobs=2, random_state=args.seed)),
    ]
)
boosting = HistGradientBoostingClassifier(max_iter=80, early_stopping=False, random_state=args.seed)
candidates = {
    "logistic": make_pipeline(columns, StandardScaler(), LogisticRegression(max_iter=5_000)),
    "forest": forest,
    "boosting": make_pipeline(columns, boosting),
}
validation = fit.CrossValidation(table.task, folds=3 if args.quick else 5, seed=args.seed)
fit.show(fit.compare(candidates, part.X_train, part.y_train, validation))

tuned = fit.tune(
    forest,
    lambda trial: {
        "model__max_features": trial.suggest_float("max_features", 0.2, 1.0),
        "model__min_samples_leaf": trial.suggest_int("min_samples_leaf", 1, 10, log=True),
        "model__max_depth": trial.suggest_int("max_depth", 6, 20),
    },
    part.X_train,
    part.y_train,
    validation,
    trials=3 if args.quick else 25,
)
fit.show(tuned)

# One thread when it serves: a row is too little work to be shared.
model = tuned.pipeline.fit(part.X_train, part.y_train).set_params(model__n_jobs=1)
metrics = fit.evaluate(model, part.X_test, part.y_test, table.task)
fit.show(f"on {len(part.X_test):,} rows held out:", metrics)

tag = ekiben.save(
    NAME,
    model,
    signature=fit.signature(table, part),
    sample=part.X_test,
    labels=table.labels(part.y_test),
    metrics=metrics,
    seed=args.seed,
    training=part.X_train,
)
fit.show(f"saved {tag}; next: ekiben serve {NAME}")
