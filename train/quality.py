"""Quality: of which cultivar is a wine, from its chemical analysis. One decision tree, three classes.

python train/quality.py                                    # the wine data that scikit-learn ships
python train/quality.py --data lots.csv --target grade
"""

from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

import ekiben
from ekiben import fit

NAME = "quality"
args = fit.arguments(__doc__, target="cultivar")

shipped = load_wine(as_frame=True)
cultivars = shipped.target.map(dict(enumerate(shipped.target_names))).astype("str").rename("cultivar")
frame = fit.read(args.data) if args.data else shipped.data.join(cultivars)
table = fit.prepare(frame, args.target, drop=args.drop, wanted="classification")
part = fit.split(table, seed=args.seed)
fit.show(table)

# One tree, because its rules can be read and hung up beside the line. The others say what that costs.
encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
filled = SimpleImputer(strategy="median")
columns = ColumnTransformer([("numbers", filled, table.numbers), ("categories", encoder, table.categories)])
model = DecisionTreeClassifier(min_samples_leaf=3, random_state=args.seed)
tree = Pipeline([("columns", columns), ("model", model)])
candidates = {
    "logistic": make_pipeline(columns, StandardScaler(), LogisticRegression(max_iter=5_000)),
    "forest": make_pipeline(columns, RandomForestClassifier(100, random_state=args.seed)),
    "tree": tree,
}
validation = fit.CrossValidation(table.task, folds=3 if args.quick else 5, seed=args.seed)
fit.show(fit.compare(candidates, part.X_train, part.y_train, validation))

tuned = fit.tune(
    tree,
    lambda trial: {
        "model__max_depth": trial.suggest_int("max_depth", 2, 6),
        "model__min_samples_leaf": trial.suggest_int("min_samples_leaf", 2, 12),
        "model__criterion": trial.suggest_categorical("criterion", ["gini", "entropy"]),
    },
    part.X_train,
    part.y_train,
    validation,
    trials=15 if args.quick else 60,
)
fit.show(tuned)

model = tuned.pipeline.fit(part.X_train, part.y_train)
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
