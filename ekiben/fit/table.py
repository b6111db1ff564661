"""Table: the rows that a model learns from, cleaned, with a sentence for everything that was done."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pandas as pd

from ekiben.errors import TableError, nearest
from ekiben.fit import leak, task
from ekiben.fit.conversion import convert, is_text, is_truth
from ekiben.fit.selection import select

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ekiben.fit.task import Task
    from ekiben.signature.output import Label

FEWEST_ROWS = 20
"""A table of fewer rows than this is refused: nothing could be held out."""
_FEWEST_OF_A_CLASS = 3


@dataclasses.dataclass(frozen=True)
class Table:
    """Rows to learn from.

    Args:
        X: The inputs: columns of float64, int64, bool, datetime64[us] or str, and a range as the index.
        y: The target; for a classification the place of each label in `classes` (int64).
        target: The name of the target column.
        task: `binary`, `multiclass` or `regression`.
        classes: The labels, in order; None for a regression.
        order: The time of each row if the rows are to be split by time, else None.
        notes: What was done, in sentences.
        warnings: What a person should look at, in sentences.
    """

    X: pd.DataFrame
    y: pd.Series
    target: str
    task: Task
    classes: tuple[Label, ...] | None
    order: pd.Series | None
    notes: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def numbers(self) -> list[str]:
        """The names of the columns of numbers."""
        return [name for name in self.X.columns if self.X[name].dtype.kind in "if"]

    @property
    def categories(self) -> list[str]:
        """The names of the columns of text and of booleans."""
        return [name for name in self.X.columns if is_text(self.X[name]) or is_truth(self.X[name])]

    @property
    def timestamps(self) -> list[str]:
        """The names of the columns of timestamps."""
        return [name for name in self.X.columns if self.X[name].dtype.kind == "M"]

    def labels(self, y: pd.Series) -> pd.Series:
        """Return targets as they stood in the table: labels in the place of codes."""
        if self.classes is None:
            return y
        return pd.Series([self.classes[code] for code in y], index=y.index, name=self.target)


def prepare(
    frame: pd.DataFrame,
    target: str,
    *,
    drop: Sequence[str] = (),
    keep: Sequence[str] = (),
    wanted: str | None = None,
    positive: str | None = None,
    time: str | None = None,
) -> Table:
    """Make a raw table fit to learn from.

    Args:
        frame: The table, as read.
        target: The column to predict.
        drop: Columns to leave out.
        keep: Columns that stay although they look useless.
        wanted: `classification` or `regression`; by default the target decides.
        positive: Of two labels, the one that is looked for.
        time: The column to split by, if time matters.

    Raises:
        TableError: If a column is not there, or there is nothing to learn from.
    """
    frame = frame.reset_index(drop=True)
    for name in (target, *drop, *keep, *([time] if time else [])):
        _check_column(frame, name)
    notes: list[str] = []
    answers = _targets(frame[target], notes)
    rows = frame.loc[answers.index]
    if len(rows) < FEWEST_ROWS:
        raise TableError(
            f"{len(rows)} rows with a target: at least {FEWEST_ROWS} are needed to learn and to check"
        )
    kind, reason = task.detect(answers, wanted)
    notes.append(reason)
    warnings: list[str] = []
    if kind != "regression":
        answers, kind = _without_rare_classes(answers, kind, warnings)
        rows = rows.loc[answers.index]
    order = convert(rows[time])[0] if time else None
    if order is not None and order.isna().any():
        raise TableError(f"the time column {time!r} has missing values: rows cannot be put in order by it")
    X = _inputs(rows.drop(columns=[target, *drop]), keep, notes)
    classes = None if kind == "regression" else task.classes_of(answers, positive)
    y = answers if classes is None else task.encode(answers, classes)
    if kind == "binary" and classes:
        notes.append(
            f"{classes[1]!r} is taken as the positive label ({(y == 1).mean():.1%} of {len(y):,} rows)"
        )
    warnings += leak.warn(X, y, classes)
    warnings += _repeated_rows(X, y)
    reset = (None if order is None else order.reset_index(drop=True), tuple(notes), tuple(warnings))
    return Table(X.reset_index(drop=True), y.reset_index(drop=True), target, kind, classes, *reset)


def _check_column(frame: pd.DataFrame, name: str) -> None:
    if name not in frame.columns:
        near = nearest(name, frame.columns)
        hint = (
            f"did you mean {near!r}?"
            if near
            else f"the columns are: {', '.join(map(str, frame.columns[:20]))}"
        )
        raise TableError(f"there is no column {name!r}; {hint}")


def _targets(column: pd.Series, notes: list[str]) -> pd.Series:
    """Return the target, converted, without the rows in which it is missing."""
    answers, said = convert(column)
    notes += said
    missing = int(answers.isna().sum())
    if missing:
        notes.append(f"{missing:,} of {len(answers):,} rows are left out: their target is missing")
        answers = answers.dropna()
    if answers.empty:
        raise TableError(f"every value of the target {column.name!r} is missing")
    return task.whole(answers)


def _without_rare_classes(answers: pd.Series, kind: Task, warnings: list[str]) -> tuple[pd.Series, Task]:
    """Leave out classes that are too rare to be learned and checked."""
    counts = answers.value_counts()
    rare = counts[counts < _FEWEST_OF_A_CLASS]
    if rare.empty:
        return answers, kind
    if len(rare) >= len(counts) - 1:
        raise TableError(
            f"the target {answers.name!r}: only {len(counts) - len(rare)} of {len(counts)} classes stand in at least "
            f"{_FEWEST_OF_A_CLASS} rows; two such classes are needed (or --task regression, if it is a number)"
        )
    named = ", ".join(f"{label!r} ({count})" for label, count in list(rare.items())[:5])
    warnings.append(
        f"rows of classes that stand in fewer than {_FEWEST_OF_A_CLASS} rows are left out: {named}"
    )
    answers = answers[~answers.isin(rare.index)]
    return answers, "binary" if answers.nunique() == 2 else "multiclass"


def _inputs(rows: pd.DataFrame, keep: Sequence[str], notes: list[str]) -> pd.DataFrame:
    converted = {}
    for name in rows.columns:
        converted[name], said = convert(rows[name])
        notes += said
    X, said = select(pd.DataFrame(converted, index=rows.index), keep)
    notes += said
    if X.shape[1] == 0:
        raise TableError(
            "no column is left to learn from: " + ("; ".join(said) or "there is the target alone")
        )
    missing = {name: share for name, share in X.isna().mean().items() if share > 0}
    if missing:
        worst = sorted(missing, key=lambda name: -missing[name])
        named = ", ".join(f"{name!r} {missing[name]:.1%}" for name in worst[:5]) + (
            ", …" if len(worst) > 5 else ""
        )
        notes.append(f"{len(missing)} of {X.shape[1]} columns have missing values: {named}")
    return X


def _repeated_rows(X: pd.DataFrame, y: pd.Series) -> list[str]:
    repeated = int(X.assign(**{"\0target": y}).duplicated().sum())
    if repeated < max(2, 0.005 * len(X)):
        return []
    doubt = "they can stand in the part to learn from and in the part held out, which flatters the figures"
    return [f"{repeated:,} of {len(X):,} rows repeat an earlier one: {doubt}"]
