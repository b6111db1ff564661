"""Trial: a model answers its typical row and its sample before it is stored and after it was read back."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ekiben.artifact import reference
from ekiben.engine import NativeEngine
from ekiben.engine.native import label_array, name_labels
from ekiben.errors import EkibenError, InputError, SaveError
from ekiben.signature.table import as_frame, as_series

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from ekiben.artifact import Model
    from ekiben.engine import Predictions
    from ekiben.errors import Problem
    from ekiben.signature import Signature

TOLERANCE_EPS = 64
"""How far numbers may be off after a round trip, in units of their own precision: where an array lies in memory decides in
which order a library sums it up. Trees and boosters give the same bits."""


@dataclass(frozen=True, eq=False)
class Trial:
    """The rows that a model has to answer.

    Args:
        frame: The rows of the sample that are kept, as trained; None without a sample.
        labels: What was true in them; None if that is not known.
    """

    frame: pd.DataFrame | None = None
    labels: np.ndarray[Any, Any] | None = None

    @classmethod
    def of(cls, model: Model, sample: Any, labels: Any, seed: int) -> Trial:
        """Return the trial for a model that is about to be saved.

        Args:
            model: The model.
            sample: A table, or an array with the signature's columns; None for the typical row alone.
            labels: What was true in each row of the sample; None if that is not known.
            seed: Which rows are kept of a large sample.

        Raises:
            SaveError: The sample does not fit the signature or the labels.
        """
        if sample is None:
            if labels is not None:
                raise SaveError("there are labels, but no sample that they belong to; give sample= too")
            return cls()
        frame = as_table(sample, model.signature)
        truth = None if labels is None else as_series(labels).to_numpy()
        if not len(frame):
            raise SaveError("the sample has no rows; leave it out, or give some")
        if truth is not None and len(truth) != len(frame):
            raise SaveError(
                f"there are {len(truth)} labels for {len(frame)} rows of the sample; give one for each"
            )
        chosen = reference.choose(len(frame), seed)
        try:
            checked = model.signature.check_frame(frame.iloc[chosen])
        except InputError as error:
            raise SaveError(f"the sample does not fit the signature: {error}") from error
        if checked.problems:
            _tell_refused(checked.problems, len(chosen))
        if truth is not None:
            truth = _named(truth[chosen][checked.positions], model)
        return cls(checked.frame, truth)

    def answers(self, model: Model) -> list[Predictions]:
        """Return all that the model can answer: to its typical row if it has one, then to the sample if there is one.

        Raises:
            SaveError: It cannot answer.
        """
        engine = NativeEngine(model)
        fields = model.signature.output.available
        answers: list[Predictions] = []
        try:
            if model.signature.example:
                typical = model.signature.check_records([model.signature.example])
                answers.append(engine.predict_rows(typical, fields))
            if self.frame is not None:
                answers.append(engine.predict_frame(self.frame, fields))
        except EkibenError as error:
            raise SaveError(f"the estimator does not answer as its signature says: {error}") from error
        except Exception as error:  # whatever an estimator raises
            raise SaveError(
                f"the estimator cannot answer rows that fit the signature: {type(error).__name__}: {error}; was every step"
                " of it fitted, and on the columns of the signature?"
            ) from error
        return answers

    def reference(self, answers: Sequence[Predictions], signature: Signature) -> bytes | None:
        """Return the sample with what the model answered, as it is stored; None without a sample.

        Args:
            answers: What `answers` returned.
            signature: Of the model.
        """
        if self.frame is None:
            return None
        return reference.encode(
            self.frame,
            signature.output,
            prediction=answers[-1].prediction,
            probabilities=answers[-1].probabilities,
            score=answers[-1].score,
            labels=self.labels,
        )


def compare(before: Sequence[Predictions], after: Sequence[Predictions]) -> None:
    """Check that two runs of a trial gave the same answers.

    Raises:
        SaveError: They did not.
    """
    for mine, read in zip(before, after, strict=True):
        for what in ("prediction", "probabilities", "score"):
            first, second = getattr(mine, what), getattr(read, what)
            if first is not None and not _are_equal(first, second):
                raise SaveError(
                    f"the stored model does not answer as the estimator did (its {what}): does the estimator hold state"
                    " that is not stored, or does it answer at random?"
                )


def as_table(data: Any, signature: Signature) -> pd.DataFrame:
    """Return a table, or an array with the signature's columns, as a frame."""
    return as_frame(data, signature.names if isinstance(data, np.ndarray) else None)[0]


def _tell_refused(problems: Mapping[int, list[Problem]], rows: int) -> None:
    """Say that the signature refuses rows of the sample: an error if most, else a warning, for the model would too."""
    first = problems[min(problems)][0].message
    text = (
        f"{len(problems)} of {rows} rows of the sample do not fit the signature, the first: {first}. The model will refuse"
        " such rows: infer the signature from more rows, or `describe` the column (unseen='pass', nullable=True)"
    )
    if 2 * len(problems) > rows:
        raise SaveError(text)
    warnings.warn(text, UserWarning, stacklevel=4)


def _named(truth: np.ndarray[Any, Any], model: Model) -> np.ndarray[Any, Any]:
    """Return labels as the signature writes them, if they are written as the estimator has them."""
    classes, own = model.signature.output.classes, getattr(model.estimator, "classes_", None)
    if classes is None or own is None or not len(truth) or not set(truth.tolist()) <= set(own.tolist()):
        return truth
    return name_labels(truth, own, label_array(classes))


def _are_equal(first: np.ndarray[Any, Any], second: np.ndarray[Any, Any]) -> bool:
    if np.array_equal(first, second):
        return True
    if first.dtype.kind != "f":
        return False
    tolerance = TOLERANCE_EPS * float(np.finfo(first.dtype).eps)
    return bool(np.allclose(first, second, rtol=tolerance, atol=tolerance))
