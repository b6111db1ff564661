"""Naming: whether the labels that a signature gives to an estimator's 0, 1, 2... are those that it learnt them from."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from ekiben.engine.native import label_array, name_labels
from ekiben.errors import SaveError, quote

if TYPE_CHECKING:
    from ekiben.artifact import Model
    from ekiben.engine import Predictions
    from ekiben.signature import Label

MIN_GAIN = 0.1
"""Another order of the labels has to explain this share more of each label's rows, on average."""

_Array = np.ndarray[Any, Any]


def as_stated(truth: _Array, model: Model) -> _Array:
    """Return what was true as the signature writes it: `truth` may hold the estimator's own labels.

    Raises:
        SaveError: None of it is a class.
    """
    classes, own = model.signature.output.classes, getattr(model.estimator, "classes_", None)
    if classes is None or not len(truth):
        return truth
    given = set(truth.tolist())
    if given <= set(classes):
        return label_array(tuple(classes[classes.index(label)] for label in truth.tolist()))
    if own is not None and given <= set(own.tolist()):
        return name_labels(truth, own, label_array(classes))
    if not given & set(classes):
        raise SaveError(
            f"the labels are {quote(sorted(map(str, given)))}, none of them one of the classes {quote(classes)}; give what"
            " was true in each row of the sample"
        )
    return truth


def check(model: Model, answers: Predictions | None, given: Any) -> None:
    """Compare the order of the labels with what was true, where the estimator knows only 0, 1, 2...

    Args:
        model: The model.
        answers: What it answered to the sample; None without a sample.
        given: What was true in the sample, as the caller wrote it; None if that is not known.

    Raises:
        SaveError: Another order of the labels agrees clearly better with what was true.
    """
    classes = model.signature.output.classes
    own = getattr(model.estimator, "classes_", None)
    if classes is None or own is None:
        return
    if set(own.tolist()) == set(classes):
        if own.dtype.kind in "iu" and answers is not None and given is not None:
            _tell_numbers(answers, given, classes)
        return
    if answers is None or given is None or not set(given.tolist()) & set(classes):
        meanings = ", ".join(f"{code} means {quote(label)}" for code, label in enumerate(classes))
        warnings.warn(
            f"the estimator answers numbers, and the signature says that {meanings}; nothing shows whether that is so. Save"
            " with sample= and labels= (the labels themselves, not their numbers) to have it checked",
            UserWarning,
            stacklevel=4,
        )
        return
    better = _better_order(_answered(answers, classes), given, classes)
    if better is not None:
        order = [classes[code] for code in better]
        raise SaveError(
            f"the labels of the sample do not agree with the order of the classes {quote(classes)}, which the signature"
            f" gives to the estimator's {', '.join(map(str, own.tolist()))}; they agree with {quote(order)}: infer the"
            f" signature with classes={order!r}, in the order of the numbers that the estimator was fitted on"
            + (" (and name the positive class with positive=)" if len(order) == 2 else "")
        )


def _tell_numbers(answers: Predictions, given: _Array, classes: tuple[Label, ...]) -> None:
    """Say where numbers are labels, and were perhaps numbered anew before the estimator saw them."""
    better = _better_order(_answered(answers, classes), given, classes)
    if better is not None:
        warnings.warn(
            f"the answers to the sample do not agree with its labels; they agree better with the order"
            f" {quote([classes[code] for code in better])} in place of {quote(classes)}: was the estimator fitted on the"
            " labels themselves, or on other numbers for them?",
            UserWarning,
            stacklevel=5,
        )


def _answered(answers: Predictions, classes: tuple[Label, ...]) -> _Array:
    """Return the number of the class that each row was given, shape (n,)."""
    if answers.probabilities is not None:
        return np.asarray(answers.probabilities.argmax(axis=1))
    codes = {label: code for code, label in enumerate(classes)}
    return np.array([codes[label] for label in answers.prediction.tolist()])


def _better_order(answered: _Array, truth: _Array, classes: tuple[Label, ...]) -> tuple[int, ...] | None:
    """Return the labels, by number, that the estimator's 0, 1, 2... clearly rather stand for; None if as they are.

    Rows of a rare label count as much as those of a frequent one, so that a model that raises many false alarms is not
    taken for one whose labels are swapped.
    """
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - heavy

    count = len(classes)
    codes = {label: code for code, label in enumerate(classes)}
    known = [
        (code, codes[label]) for code, label in zip(answered, truth.tolist(), strict=True) if label in codes
    ]
    table = np.zeros((count, count))
    for code, label in known:
        table[code, label] += 1
    rows = table.sum(axis=0)
    seen = rows > 0
    share = np.divide(table, rows, out=np.zeros_like(table), where=seen)
    best = linear_sum_assignment(share, maximize=True)[1]
    gain = float(share[np.arange(count), best].sum() - share.trace()) / max(int(seen.sum()), 1)
    by_chance = math.sqrt(float((1 / rows[seen]).sum())) / max(int(seen.sum()), 1)
    return tuple(best.tolist()) if gain > max(MIN_GAIN, 3 * by_chance) else None
