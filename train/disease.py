"""Disease: is a breast tumour malignant, from 30 measurements of cell nuclei. SVM with calibrated probabilities.

python train/disease.py                                   # the Wisconsin data that scikit-learn ships
python train/disease.py --data tumours.csv --target diagnosis
"""

from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC

import ekiben
from ekiben import fit

NAME = "disease"
args = fit.arguments(__doc__, target="diagnosis")

# 569 tumours; in scikit-learn's table 0 is malignant.
shipped = load_breast_cancer(as_frame=True)
diagnoses = shipped.target.map({0: "malignant", 1: "benign"}).rename("diagnosis")
frame = fit.read(args.data) if args.data else shipped.data.join(diagnoses)
table = fit.prepare(frame, args.target, drop=args.drop, wanted="classification")
part = fit.split(table, seed=args.seed)
fit.show(table)

# A support vector machine measures distances: columns need one scale. Its own answer is a distance from the border; a
# sigmoid, fitted on folds that it has not seen, makes a probability of it (Platt, 1999).
numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
categories = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
columns = ColumnTransformer(
    [("numbers", numbers, table.numbers), ("categories", categories, table.categories)]
)
calibrated = CalibratedClassifierCV(SVC(C=1.0), cv=5, ensemble=False)
svm = Pipeline([("columns", columns), ("model", calibrated)])
candidates = {
    "logistic": make_pipeline(columns, LogisticRegression(max_iter=5_000)),
    "forest": make_pipeline(columns, RandomForestClassifier(100, random_state=args.seed)),
    "svm": svm,
}
validation = fit.CrossValidation(table.task, folds=3 if args.quick else 5, seed=args.seed)
fit.show(fit.compare(candidates, part.X_train, part.y_train, validation))

tuned = fit.tune(
    svm,
    lambda trial: {
        "model__estimator__C": trial.suggest_float("C", 0.1, 100, log=True),
        "model__estimator__gamma": trial.suggest_float("gamma", 1e-4, 1e-1, log=True),
    },
    part.X_train,
    part.y_train,
    validation,
    trials=10 if args.quick else 40,
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
