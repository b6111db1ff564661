"""Table: the rows that a model learns from, cleaned, with a sentence for everything that was done."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ekiben.errors import TableError, nearest
from ekiben.fit import leak, task
from ekiben.fit.conversion import convert, is_text, is_truth
from ekiben.fit.selection import select

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
    said = frame.attrs.get("said", {})
    frame = frame.reset_index(drop=True)
    for name in (target, *drop, *keep, *([time] if time else [])):
        _check_column(frame, name)
    notes: list[str] = list(said.get(target, ()))
    answers = _targets(frame[target], notes)
    rows = frame.loc[answers.index]
    _check_rows(answers, "with a target")
    found: list[str] = []
    X = _inputs(rows.drop(columns=[target, *drop]), keep, said, found)
    X = _without_infinite(X, found)
    answers = answers.loc[X.index]
    _check_rows(answers, "without infinite values")
    kind, reason = task.detect(answers, wanted)
    notes += [reason, *found]
    warnings: list[str] = []
    if kind != "regression":
        answers, kind = _without_rare_classes(answers, kind, warnings)
        X = X.loc[answers.index]
    notes += _missing(X)
    order = _order(frame.loc[X.index, time]) if time else None
    classes = None if kind == "regression" else task.classes_of(answers, positive)
    y = answers if classes is None else task.encode(answers, classes)
    if kind == "binary" and classes:
        notes.append(
            f"{classes[1]!r} is taken as the positive label ({(y == 1).mean():.1%} of {len(y):,} rows)"
        )
    warnings += leak.warn(X, y, classes)
    warnings += _repeated_rows(frame.loc[X.index])
    reset = (None if order is None else order.reset_index(drop=True), tuple(notes), tuple(warnings))
    return Table(X.reset_index(drop=True), y.reset_index(drop=True), target, kind, classes, *reset)


def _check_rows(answers: pd.Series, which: str) -> None:
    if len(answers) < FEWEST_ROWS:
        raise TableError(
            f"{len(answers)} rows {which}: at least {FEWEST_ROWS} are needed to learn and to check"
        )


def _order(times: pd.Series) -> pd.Series:
    """Return the time of each row, as timestamps or numbers."""
    order, _ = convert(times)
    if order.isna().any():
        raise TableError(
            f"the time column {times.name!r} has missing values: rows cannot be put in order by it"
        )
    if is_text(order) or order.dtype.kind not in "iufM":
        raise TableError(
            f"the time column {times.name!r} holds text such as {str(order.iloc[0])!r}, which cannot be put in order of "
            "time: timestamps by ISO 8601 (2026-01-31 or 2026-01-31T08:00:00) or numbers were expected"
        )
    return order


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
    if answers.dtype.kind == "f" and (infinite := int(np.isinf(answers).sum())):
        told = "1 infinite target is" if infinite == 1 else f"{infinite:,} infinite targets are"
        notes.append(f"{told} taken as missing")
        answers = answers.mask(np.isinf(answers))
    missing = int(answers.isna().sum())
    if missing:
        notes.append(f"{missing:,} of {len(answers):,} rows are left out: their target is missing")
        answers = answers.dropna()
    if is_text(answers):
        answers = _stripped(answers, notes)
    if answers.empty:
        raise TableError(f"every value of the target {column.name!r} is missing")
    return task.whole(answers)


def _stripped(labels: pd.Series, notes: list[str]) -> pd.Series:
    stripped = labels.str.strip()
    changed = int((stripped != labels).sum())
    if changed:
        notes.append(f"{labels.name!r}: blanks around the label are taken off in {changed:,} rows")
    return stripped


def _without_infinite(X: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """Leave out rows with infinite values: rows to be predicted are refused if they hold one."""
    infinite = {name: np.isinf(X[name]) for name in X.columns if X[name].dtype.kind == "f"}
    named = [name for name, cells in infinite.items() if cells.any()]
    if not named:
        return X
    rows: pd.Series = pd.DataFrame({name: infinite[name] for name in named}).any(axis="columns")
    notes.append(
        f"{int(rows.sum()):,} rows are left out: {', '.join(map(repr, named))} infinite there, which is refused in rows "
        "to be predicted, too; leave such cells empty to have them taken as missing"
    )
    return X.loc[~rows]


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


def _inputs(
    rows: pd.DataFrame, keep: Sequence[str], said: Mapping[str, Sequence[str]], notes: list[str]
) -> pd.DataFrame:
    converted = {}
    for name in rows.columns:
        notes += said.get(name, ())
        converted[name], done = convert(rows[name])
        notes += done
    X, left_out = select(pd.DataFrame(converted, index=rows.index), keep)
    notes += left_out
    if X.shape[1] == 0:
        raise TableError(
            "no column is left to learn from: " + ("; ".join(left_out) or "there is the target alone")
        )
    return X


def _missing(X: pd.DataFrame) -> list[str]:
    missing = {name: share for name, share in X.isna().mean().items() if share > 0}
    if not missing:
        return []
    worst = sorted(missing, key=lambda name: -missing[name])
    named = ", ".join(f"{name!r} {missing[name]:.1%}" for name in worst[:5])
    more = ", …" if len(worst) > 5 else ""
    return [f"{len(missing)} of {X.shape[1]} columns have missing values: {named}{more}"]


def _repeated_rows(rows: pd.DataFrame) -> list[str]:
    """Return a warning if rows of the table, as they were given, repeat others."""
    plain = rows.loc[:, [name for name in rows.columns if _is_hashable(rows[name])]]
    repeated = int(plain.duplicated().sum())
    if repeated < max(2, 0.005 * len(rows)):
        return []
    doubt = "they can stand in the part to learn from and in the part held out, which flatters the figures"
    return [f"{repeated:,} of {len(rows):,} rows repeat an earlier one: {doubt}"]


def _is_hashable(column: pd.Series) -> bool:
    return column.dtype != object or all(isinstance(value, Hashable) for value in column)
