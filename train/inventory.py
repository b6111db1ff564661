"""Inventory: how many units of an item will a shop sell next week. A regression for counts.

python train/inventory.py                                     # simulated (train/simulate/inventory.py)
python train/inventory.py --data sales.parquet --target units
"""

from simulate.inventory import draw
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import ekiben
from ekiben import fit

NAME = "inventory"
UNITS = {"price": "EUR", "temperature": "°C", "units_last_week": "units"}
args = fit.arguments(__doc__, target="units")

frame = fit.read(args.data) if args.data else draw(2_500 if args.quick else 12_000, args.seed)
table = fit.prepare(frame, args.target, drop=args.drop, wanted="regression")
part = fit.split(table, seed=args.seed)
fit.show(table)

# The API takes the date of the week itself: its season is worked out inside the pipeline.
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
# Counts scatter with the root of their mean, which the Poisson loss knows. It asks for a target of zero or more.
loss = "poisson" if (part.y_train >= 0).all() else "squared_error"
poisson = HistGradientBoostingRegressor(loss=loss, max_iter=100, early_stopping=False, random_state=args.seed)
candidates = {
    "ridge": make_pipeline(dense, Ridge()),
    "forest": make_pipeline(dense, RandomForestRegressor(50, random_state=args.seed)),
    "boosting": Pipeline([("columns", raw), ("model", poisson)]),
}
validation = fit.CrossValidation(table.task, folds=3 if args.quick else 5, seed=args.seed)
fit.show(fit.compare(candidates, part.X_train, part.y_train, validation))

tuned = fit.tune(
    candidates["boosting"],
    lambda trial: {
        "model__max_iter": trial.suggest_int("max_iter", 60, 250, log=True),
        "model__learning_rate": trial.suggest_float("learning_rate", 0.03, 0.3, log=True),
        "model__max_leaf_nodes": trial.suggest_int("max_leaf_nodes", 5, 40, log=True),
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
