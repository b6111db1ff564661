"""Neuron: the network of three inputs, two hidden units and one output, all sigmoid.

    python train/neuron.py              # simulated stimuli (train/simulate/neuron.py)
    python train/neuron.py --quick      # fewer starts are tried

The network stands on the three columns as they are, so that its answer can be followed by hand from its weights:
a = sigmoid(W x + b) for the hidden units, y = sigmoid(v a + c) for the output, and the label is 1 where y > 0.5.
"""

from simulate.neuron import FEATURES, draw
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.tree import DecisionTreeClassifier

import ekiben
from ekiben import fit

NAME = "neuron"
UNITS = dict.fromkeys(FEATURES, "mV")
args = fit.arguments(__doc__, target="label")

# The examples, and a fifth of them held out.
frame = fit.read(args.data) if args.data else draw(2_000, args.seed)
table = fit.prepare(frame, args.target, drop=args.drop, wanted="classification")
part = fit.split(table, seed=args.seed)
fit.show(table)

# The network beside two models that have no hidden units.
network = MLPClassifier(
    (2,), activation="logistic", solver="lbfgs", alpha=1e-3, max_iter=5_000, random_state=args.seed
)
candidates = {
    "network": network,
    "logistic": LogisticRegression(max_iter=5_000),
    "tree": DecisionTreeClassifier(max_depth=4, random_state=args.seed),
}
validation = fit.CrossValidation(table.task, folds=3 if args.quick else 5, seed=args.seed)
fit.show(fit.compare(candidates, part.X_train, part.y_train, validation))

# Two hidden units find their places from some random starts and not from others: the start is searched, too.
tuned = fit.tune(
    network,
    lambda trial: {
        "random_state": trial.suggest_int("random_state", 0, 99),
        "alpha": trial.suggest_float("alpha", 1e-5, 1e-1, log=True),
    },
    part.X_train,
    part.y_train,
    validation,
    trials=10 if args.quick else 40,
)
fit.show(tuned)

# What it reaches on the rows that it has not seen.
model = tuned.pipeline.fit(part.X_train, part.y_train)
metrics = fit.evaluate(model, part.X_test, part.y_test, table.task)
fit.show(f"on {len(part.X_test):,} rows held out:", metrics)

# The answer is the label alone; the probability can be asked for.
tag = ekiben.save(
    NAME,
    model,
    signature=fit.signature(table, part, units=UNITS),
    sample=part.X_test,
    labels=table.labels(part.y_test),
    metrics=metrics,
    seed=args.seed,
    training=part.X_train,
    probabilities=False,
)
fit.show(f"saved {tag}; next: ekiben serve {NAME}")
