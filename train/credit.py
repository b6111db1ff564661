"""Credit: will an applicant default. XGBoost on numbers and categories with missing values.

python train/credit.py                                               # simulated (train/simulate/credit.py)
python train/credit.py --data german_credit.csv --target credit_risk
"""

from simulate.credit import draw
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from xgboost import XGBClassifier

import ekiben
from ekiben import fit

NAME = "credit"
UNITS = {"age": "years", "income": "EUR/month", "amount": "EUR", "duration": "months"}
args = fit.arguments(__doc__, target="defaulted")

frame = fit.read(args.data) if args.data else draw(3_000 if args.quick else 10_000, args.seed)
table = fit.prepare(frame, args.target, drop=args.drop, wanted="classification")
part = fit.split(table, seed=args.seed)
fit.show(table)

# XGBoost takes missing numbers as they are; the others get the median, and a column that says where it was put. A
# missing category is a category; rare ones share a column with those that training did not see. The matrix is dense
# (sparse_output=False): in a sparse one XGBoost would take zeros for missing values.
encoder = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=5, sparse_output=False)
filled = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
dense = ColumnTransformer([("numbers", filled, table.numbers), ("categories", encoder, table.categories)])
raw = ColumnTransformer(
    [("numbers", "passthrough", table.numbers), ("categories", encoder, table.categories)]
)
booster = XGBClassifier(
    n_estimators=150, learning_rate=0.06, max_depth=3, subsample=0.8, random_state=args.seed
)
candidates = {
    "logistic": make_pipeline(dense, LogisticRegression(max_iter=5_000)),
    "forest": make_pipeline(dense, RandomForestClassifier(100, min_samples_leaf=3, random_state=args.seed)),
    "xgboost": Pipeline([("columns", raw), ("model", booster)]),
}
validation = fit.CrossValidation(table.task, folds=3 if args.quick else 5, seed=args.seed)
fit.show(fit.compare(candidates, part.X_train, part.y_train, validation))

tuned = fit.tune(
    candidates["xgboost"],
    lambda trial: {
        "model__n_estimators": trial.suggest_int("n_estimators", 50, 400, log=True),
        "model__learning_rate": trial.suggest_float("learning_rate", 0.02, 0.2, log=True),
        "model__max_depth": trial.suggest_int("max_depth", 2, 6),
        "model__min_child_weight": trial.suggest_float("min_child_weight", 1, 20, log=True),
        "model__reg_lambda": trial.suggest_float("reg_lambda", 0.5, 20, log=True),
    },
    part.X_train,
    part.y_train,
    validation,
    trials=8 if args.quick else 40,
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
