"""Native: the engine that asks the estimator itself; what every other engine is measured by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ekiben.engine.predictions import Predictions, positive_index
from ekiben.errors import EngineError, PolicyError, RowError
from ekiben.signature.frame import common_dtype

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from ekiben.signature import Field, Label, Signature

_Array = np.ndarray[Any, Any]


class _Fitted(Protocol):
    """What the engine needs of a model: `artifact.Model` has it."""

    @property
    def signature(self) -> Signature: ...

    @property
    def estimator(self) -> Any: ...


class NativeEngine:
    """Answers by the estimator's own `predict`, `predict_proba` and `decision_function`, as few of them as are needed.

    How many threads it uses is what the estimator says (`n_jobs`).

    Args:
        model: A loaded model.
        threshold: The positive class is answered when its probability is at least this, between 0 and 1; None leaves
            the choice to the estimator. Two classes only.

    Raises:
        PolicyError: There is a threshold, but the model gives no probability of a positive class.
    """

    def __init__(self, model: _Fitted, threshold: float | None = None) -> None:
        self._estimator = model.estimator
        self._signature = model.signature
        self._threshold = threshold
        output = model.signature.output
        classes = output.classes
        self._labels = None if classes is None else label_array(classes)
        self._own_classes = getattr(model.estimator, "classes_", None)
        self._positive = positive_index(output) if classes is not None and len(classes) == 2 else None
        self._is_probability = output.kind == "probability"
        if threshold is not None and (
            self._positive is None or not {"probability", "probabilities"} & {*output.available}
        ):
            raise PolicyError(
                f"threshold {threshold} needs a model with two classes that gives probabilities; take it out of the policy"
            )

    @property
    def signature(self) -> Signature:
        """The columns that the model takes and what it answers."""
        return self._signature

    def predict_rows(
        self, rows: Sequence[tuple[Any, ...]], fields: Collection[Field] | None = None
    ) -> Predictions:
        """Return the predictions for checked rows; see `Engine.predict_rows`."""
        return self.predict_frame(self._signature.frame(rows), fields)

    def predict_frame(self, frame: Any, fields: Collection[Field] | None = None) -> Predictions:
        """Return the predictions for a frame as it was trained on; see `Engine.predict_frame`."""
        wanted = set(self._signature.output.fields if fields is None else fields)
        count = len(frame)
        if not count:  # scikit-learn refuses a table without rows
            classes = 0 if self._labels is None else len(self._labels)
            return Predictions(np.empty(0), np.empty((0, classes)), np.empty(0))
        features = self._as_trained(frame)
        probabilities = score = None
        if self._is_probability or self._threshold is not None or wanted & {"probability", "probabilities"}:
            columns = 1 if self._labels is None else len(self._labels)
            probabilities = _checked(self._call("predict_proba", features), (count, columns), "probability")
        if "score" in wanted:
            score = _checked(self._call("decision_function", features), (count,), "score")
        prediction = _checked(self._prediction(features, probabilities), (count,), "prediction")
        return Predictions(prediction, probabilities, score)

    def _prediction(self, features: Any, probabilities: _Array | None) -> _Array:
        if self._positive is not None and probabilities is not None and self._labels is not None:
            chance = probabilities[:, self._positive]
            if self._is_probability:
                return chance
            if self._threshold is not None:
                return self._labels[np.where(chance >= self._threshold, self._positive, 1 - self._positive)]
        predicted = np.asarray(self._call("predict", features))
        if self._labels is None or self._own_classes is None or predicted.ndim != 1:
            return predicted
        return name_labels(predicted, self._own_classes, self._labels)

    def _as_trained(self, frame: Any) -> Any:
        """Return what the estimator was fitted on: a frame, or a plain array."""
        if self._signature.container == "pandas" or not hasattr(frame, "to_numpy"):
            return frame
        dtype = common_dtype(self._signature.columns)
        if dtype not in {"object", "str"}:
            return frame.to_numpy(dtype=dtype)
        values = frame.to_numpy(dtype=object)
        return values.astype(str) if dtype == "str" and not frame.isna().to_numpy().any() else values

    def _call(self, method: str, features: Any) -> Any:
        function = getattr(self._estimator, method, None)
        if function is None:
            raise EngineError(f"{type(self._estimator).__name__} has no {method}")
        return function(features)


def label_array(classes: tuple[Label, ...]) -> _Array:
    """Return labels as an array that keeps each as it is, shape (k,)."""
    if len({type(label) for label in classes}) == 1:
        return np.array(classes)
    labels = np.empty(len(classes), dtype=object)
    labels[:] = classes
    return labels


def name_labels(values: _Array, own: Any, labels: _Array) -> _Array:
    """Return the estimator's labels as the signature writes them: its own may be 0, 1, 2... or floats.

    Args:
        values: Labels as the estimator writes them, shape (n,).
        own: Its classes, ascending, shape (k,).
        labels: The same classes as the signature writes them, shape (k,).
    """
    own = np.asarray(own)
    if own.dtype.kind == labels.dtype.kind and np.array_equal(own, labels):
        return values
    return labels[np.searchsorted(own, values)]


def _checked(values: Any, shape: tuple[int, ...], what: str) -> _Array:
    """Return the values as an array of that shape, all of them numbers.

    Raises:
        EngineError: The shape is another.
        RowError: A number is infinite, or not a number.
    """
    array = np.asarray(values)
    if array.shape != shape:
        raise EngineError(f"the model gave {what} of shape {array.shape}, expected {shape}")
    if array.dtype.kind == "f":
        finite = np.isfinite(array)
        if not finite.all():
            row = int(np.flatnonzero(~finite.reshape(len(array), -1).all(axis=1))[0])
            raise RowError(row, f"its {what} is {array[row]}, not a finite number")
    return array
