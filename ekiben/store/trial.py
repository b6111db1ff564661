"""Trial: a model answers its typical row and its sample before it is stored and after it was read back."""

from __future__ import annotations

import contextlib
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ekiben.artifact import reference
from ekiben.engine import NativeEngine
from ekiben.errors import EkibenError, EngineError, InputError, SaveError
from ekiben.signature.table import as_frame, as_series
from ekiben.store import naming
from ekiben.store.hearing import heard

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

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
        labels: What was true in them, as the signature writes it; None if that is not known.
        given: The same as the caller wrote it.
    """

    frame: pd.DataFrame | None = None
    labels: np.ndarray[Any, Any] | None = None
    given: np.ndarray[Any, Any] | None = None

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
        if truth is None:
            return cls(checked.frame)
        truth = truth[chosen][checked.positions]
        return cls(checked.frame, naming.as_stated(truth, model), truth)

    def answers(self, model: Model) -> list[Predictions]:
        """Return all that the model can answer: to its typical row if it has one, then to the sample if there is one.

        The typical row is asked several times over, another number than there are columns: an estimator that takes columns
        for rows is found so.

        Raises:
            SaveError: It cannot answer.
        """
        engine = NativeEngine(model)
        try:
            with _told_containers(model):
                answers = self._asked(engine, model.signature)
        except SaveError:
            raise
        except EkibenError as error:
            hint = _advice(model.signature) if isinstance(error, EngineError) else ""
            raise SaveError(f"the estimator does not answer as its signature says: {error}{hint}") from error
        except Exception as error:  # whatever an estimator raises
            raise SaveError(
                f"the estimator cannot answer rows that fit the signature: {type(error).__name__}: {error}; was every step"
                f" of it fitted, and on the columns of the signature?{_advice(model.signature)}"
            ) from error
        return answers

    def _asked(self, engine: NativeEngine, signature: Signature) -> list[Predictions]:
        fields = signature.output.available
        answers: list[Predictions] = []
        if signature.example:
            typical = signature.check_records([signature.example])
            copies = 3 if len(signature.columns) == 2 else 2
            answers.append(engine.predict_rows(typical * copies, fields))
        if self.frame is not None:
            answers.append(engine.predict_frame(self.frame, fields))
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


def _advice(signature: Signature) -> str:
    """Return what to do where an estimator may have been fitted on a column instead of a table."""
    texts = [column.name for column in signature.columns if column.kind in {"text", "category"}]
    if not texts and len(signature.columns) > 1:
        return ""
    name = next(iter(texts), signature.names[0])
    return (
        ". A pipeline that was fitted on one column (a Series, as TfidfVectorizer takes it) instead of a table needs a"
        f" ColumnTransformer around that step: ColumnTransformer([('text', TfidfVectorizer(), {name!r})])"
    )


@contextlib.contextmanager
def _told_containers(model: Model) -> Iterator[None]:
    """Refuse a model that was fitted on an array and is fed a table, or the reverse, where scikit-learn says so.

    Raises:
        SaveError: It is.
    """
    with heard() as caught:
        yield
    fitted_on_table = getattr(model.estimator, "feature_names_in_", None) is not None
    is_fed_table = model.signature.container == "pandas"
    for warning in caught:
        is_of_names = "feature names, but" in str(warning.message)
        if is_of_names and is_fed_table and not fitted_on_table:
            raise SaveError(
                "the estimator was fitted on an array, and the signature was inferred from a table; fit it on the table, or"
                " infer the signature from the array: Signature.infer(X.to_numpy(), y, names=list(X.columns))"
            )
        if is_of_names and fitted_on_table and not is_fed_table:
            raise SaveError(
                "the estimator was fitted on a table, and the signature was inferred from an array; infer it from the table"
            )
        warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)


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


def _are_equal(first: np.ndarray[Any, Any], second: np.ndarray[Any, Any]) -> bool:
    if np.array_equal(first, second):
        return True
    if first.dtype.kind != "f":
        return False
    tolerance = TOLERANCE_EPS * float(np.finfo(first.dtype).eps)
    return bool(np.allclose(first, second, rtol=tolerance, atol=tolerance))
