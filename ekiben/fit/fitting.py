"""Fitting: from a prepared table to the model that is worth keeping, and into the store."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sklearn.base import clone
from sklearn.model_selection import train_test_split

from ekiben.errors import TableError
from ekiben.fit import draft
from ekiben.fit.candidates import candidates
from ekiben.fit.comparison import BASELINE, Comparison, compare
from ekiben.fit.evaluation import evaluate
from ekiben.fit.holdout import Split, split
from ekiben.fit.interface import signature
from ekiben.fit.threads import one_thread, suited_to
from ekiben.fit.tuning import Tuned, tune
from ekiben.fit.validation import CrossValidation

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from ekiben.fit.table import Table

_NAME = r"[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?"


@dataclasses.dataclass(frozen=True)
class Effort:
    """How much is spent on the search.

    Args:
        folds: Of the cross-validation.
        rows: On how many rows, at most, models are compared and tuned.
        trials: How many settings of the best model are tried.
        timeout_s: After how many seconds no further setting is tried.
    """

    folds: int = 5
    rows: int = 20_000
    trials: int = 30
    timeout_s: float = 60.0


FULL = Effort()
QUICK = Effort(folds=3, rows=5_000, trials=10, timeout_s=8.0)


@dataclasses.dataclass(frozen=True)
class Fitted:
    """A model, how it came about, and how good it is.

    Args:
        table: What it was learned from.
        part: The rows that it learned from, and those that were held out.
        comparison: What the candidates reached.
        tuned: What tuning found.
        estimator: The best pipeline, fitted on the part to learn from.
        metrics: What it reaches on the part held out.
        warnings: What a person should look at.
        seed: For everything that was drawn at random.
    """

    table: Table
    part: Split
    comparison: Comparison
    tuned: Tuned
    estimator: Any
    metrics: dict[str, float]
    warnings: tuple[str, ...]
    seed: int


def fit(
    table: Table, *, seed: int = 0, quick: bool = False, tell: Callable[[object], None] | None = None
) -> Fitted:
    """Compare models on a table, tune the best, and judge it on rows that were held out.

    Args:
        table: The table, prepared.
        seed: For everything that is drawn at random.
        quick: Whether a small search will do.
        tell: Called with each thing that is found, as soon as it is: the table, sentences, the comparison, the
            tuning, the figures.

    Raises:
        TableError: If nothing can be learned from the table.
    """
    tell = tell or (lambda _: None)
    tell(table)
    part = split(table, seed=seed)
    how = "the last by time" if table.order is not None else "drawn at random"
    tell(f"{len(part.X_test):,} rows are held out ({how}); {len(part.X_train):,} rows to learn from")
    comparison, tuned = _search(table, part, QUICK if quick else FULL, seed=seed, quick=quick, tell=tell)
    with suited_to(len(part.X_train)):
        estimator = one_thread(clone(tuned.pipeline).fit(part.X_train, part.y_train))
        metrics = evaluate(estimator, part.X_test, part.y_test, table.task)
    tell(
        f"{comparison.best}, fitted on the {len(part.X_train):,} rows, on the {len(part.X_test):,} held out:"
    )
    tell(metrics)
    warnings = _judge(comparison, tuned)
    for warning in warnings:
        tell(f"  ! {warning}")
    return Fitted(table, part, comparison, tuned, estimator, metrics, warnings, seed)


def _search(
    table: Table, part: Split, effort: Effort, *, seed: int, quick: bool, tell: Callable[[object], None]
) -> tuple[Comparison, Tuned]:
    """Compare the candidates, and tune the best of them."""
    X, y = _at_most(effort.rows, part, table, seed)
    if len(X) < len(part.X_train):
        tell(f"models are compared and tuned on {len(X):,} of them; the best learns from all")
    offered = {
        entry.name: entry for entry in candidates(table, rows=len(part.X_train), seed=seed, quick=quick)
    }
    validation = CrossValidation(table.task, effort.folds, seed, by_time=table.order is not None)
    with suited_to(len(X)):
        comparison = compare({name: entry.pipeline for name, entry in offered.items()}, X, y, validation)
        tell(comparison)
        best = offered[comparison.best]
        assert best.space is not None, "only the baseline has nothing to tune, and it is never the best"
        tuned = tune(
            best.pipeline, best.space, X, y, validation, trials=effort.trials, timeout_s=effort.timeout_s
        )
    tell(tuned)
    return comparison, tuned


def save(
    fitted: Fitted, name: str, *, purpose: str, domain: str, folder: Path = Path("models")
) -> tuple[str, Path | None]:
    """Store a fitted model, and draft `models/NAME.toml` unless there is one.

    Args:
        fitted: The model.
        name: What it is to be called.
        purpose: What it is for.
        domain: Of which field: finance, medicine.
        folder: Where the decisions of people are kept.

    Returns:
        The tag `name:version`, and the file if one was written.
    """
    from ekiben import store  # noqa: PLC0415 - brings BentoML, which fitting can do without

    table, part = fitted.table, fitted.part
    tag = store.save(
        name,
        fitted.estimator,
        signature=signature(table, part),
        sample=part.X_test,
        labels=table.labels(part.y_test),
        metrics=fitted.metrics,
        purpose=purpose,
        domain=domain,
        seed=fitted.seed,
        training=part.X_train,
    )
    return str(tag), draft.write(folder, name, purpose=purpose, domain=domain, metrics=fitted.metrics)


def check_name(name: str) -> str:
    """Return the name of a model if it is one: before minutes are spent on training.

    Raises:
        TableError: If it is not.

    >>> check_name("churn-2")
    'churn-2'
    """
    if not re.fullmatch(_NAME, name):
        proposed = re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-._")[:63] or "model"
        raise TableError(
            f"{name!r} cannot be the name of a model: small letters, digits, '-', '_' and '.' were expected, at most "
            f"63 of them; {proposed!r} would do"
        )
    return name


def _at_most(rows: int, part: Split, table: Table, seed: int) -> tuple[pd.DataFrame, pd.Series]:
    """Return at most so many of the rows to learn from: the latest if time matters, else drawn at random."""
    X, y = part.X_train, part.y_train
    if len(X) <= rows:
        return X, y
    if table.order is not None:
        return X.tail(rows), y.tail(rows)
    stratify = None if table.classes is None else y
    X, _, y, _ = train_test_split(X, y, train_size=rows, random_state=seed, stratify=stratify)
    return X, y


def _judge(comparison: Comparison, tuned: Tuned) -> tuple[str, ...]:
    baseline = next((entry for entry in comparison.scores if entry.name == BASELINE), None)
    if baseline is None or not baseline.folds:
        return ()
    noise = max(0.01, comparison[comparison.best].std)
    if tuned.score > baseline.mean + noise:
        return ()
    reached = f"{tuned.metric} {tuned.score:.4f}, baseline {baseline.mean:.4f}"
    return (f"the best model is hardly better than guessing ({reached}): the columns may say little",)
