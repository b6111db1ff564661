"""Traffic: vehicles, or rented bicycles, in an hour. HistGradientBoosting for a number.

python train/traffic.py                                       # simulated (train/simulate/traffic.py)
python train/traffic.py --data bike_hour.csv --target cnt
"""

from simulate.traffic import draw
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import ekiben
from ekiben import fit

NAME = "traffic"
UNITS = {"temperature": "°C", "rain": "mm/h", "lanes": "lanes open"}
# In the data on bike rentals: the number of the row, and the two parts that add up to the count.
NOT_KNOWN_BEFORE = ["instant", "casual", "registered"]
args = fit.arguments(__doc__, target="flow")

frame = fit.read(args.data) if args.data else draw(3_000 if args.quick else 16_000, args.seed)
frame = frame.drop(columns=NOT_KNOWN_BEFORE, errors="ignore")
table = fit.prepare(frame, args.target, drop=args.drop, wanted="regression")
part = fit.split(table, seed=args.seed)
fit.show(table)

# The API takes the timestamp itself: hour, weekday and season are worked out inside the pipeline. Boosting takes missing
# numbers as they are.
encoder = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=5, sparse_output=False)
filled = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
dated = make_pipeline(fit.CalendarFeatures(), SimpleImputer(), StandardScaler())
dense = ColumnTransformer(
    [
        ("categories", encoder, table.categories),
        ("numbers", filled, table.numbers),
        ("calendar", dated, table.timestamps),
    ]
)
raw = ColumnTransformer(
    [
        ("categories", encoder, table.categories),
        ("numbers", "passthrough", table.numbers),
        ("calendar", fit.CalendarFeatures(), table.timestamps),
    ]
)
boosting = HistGradientBoostingRegressor(max_iter=150, early_stopping=False, random_state=args.seed)
candidates = {
    "ridge": make_pipeline(dense, Ridge()),
    "forest": make_pipeline(dense, RandomForestRegressor(40, min_samples_leaf=2, random_state=args.seed)),
    "boosting": Pipeline([("columns", raw), ("model", boosting)]),
}
validation = fit.CrossValidation(table.task, folds=3 if args.quick else 5, seed=args.seed)
fit.show(fit.compare(candidates, part.X_train, part.y_train, validation))

tuned = fit.tune(
    candidates["boosting"],
    lambda trial: {
        "model__max_iter": trial.suggest_int("max_iter", 80, 300, log=True),
        "model__learning_rate": trial.suggest_float("learning_rate", 0.03, 0.3, log=True),
        "model__max_leaf_nodes": trial.suggest_int("max_leaf_nodes", 8, 64, log=True),
        "model__min_samples_leaf": trial.suggest_int("min_samples_leaf", 5, 50, log=True),
    },
    part.X_train,
    part.y_train,
    validation,
    trials=4 if args.quick else 30,
)
fit.show(tuned)

model = tuned.pipeline.fit(part.X_train, part.y_train)
metrics = fit.evaluate(model, part.X_test, part.y_test, table.task)
fit.show(f"on {len(part.X_test):,} rows held out:", metrics)

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
