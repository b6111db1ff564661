"""Answer: what an estimator can answer, written into the signature's output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ekiben.errors import SaveError, quote

if TYPE_CHECKING:
    from ekiben.signature import Field, Label, Output

_DEFAULT_FIELDS: tuple[Field, ...] = ("prediction",)


def reconcile(output: Output, estimator: Any, *, probabilities: bool = True) -> Output:
    """Return the output with what the estimator says about itself: its kind, its classes, what it can answer.

    What a person stated stays: the labels (an estimator that was trained on 0, 1, 2... has them in their order), the
    positive class, the fields, and `probability` as the kind of a classifier of two classes.

    Args:
        output: What the signature says.
        estimator: A fitted estimator.
        probabilities: Whether an answer holds probabilities unless the caller asks otherwise. False answers the label
            alone; callers may still ask for them.

    Raises:
        SaveError: The two contradict each other.
    """
    match _type(estimator):
        case "classifier":
            return _classifier(output, estimator, probabilities=probabilities)
        case "outlier_detector":
            return msgspec.structs.replace(
                output,
                kind="score",
                classes=None,
                positive=None,
                fields=("prediction", "score"),
                available=("prediction", "score"),
            )
        case "ranker":
            return _number(output, "rank")
        case "regressor":
            return _number(output, "rank" if output.kind == "rank" else "number")
        case _:
            if output.kind == "label":  # clusters, for example: labels without probabilities
                return msgspec.structs.replace(output, fields=_DEFAULT_FIELDS, available=_DEFAULT_FIELDS)
            return _number(output, "rank" if output.kind == "rank" else "number")


def describe(estimator: Any) -> str:
    """Return the classes of an estimator for people, without their settings.

    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> describe(make_pipeline(StandardScaler(), Ridge()))
    'Pipeline(StandardScaler, Ridge)'
    """
    name = type(estimator).__name__
    steps = getattr(estimator, "steps", None) or getattr(estimator, "estimators", None)
    inner: list[Any] = []
    if isinstance(steps, list):
        inner = [step[1] for step in steps if isinstance(step, tuple) and len(step) > 1]
    else:
        inner = [
            part for key in ("estimator", "regressor") if (part := getattr(estimator, key, None)) is not None
        ]
    shown = [describe(part) for part in inner if not isinstance(part, str)]
    return f"{name}({', '.join(shown)})" if shown else name


def _type(estimator: Any) -> str | None:
    """Return scikit-learn's word for what an estimator is; None for one that does not say."""
    from sklearn.utils import get_tags  # noqa: PLC0415 - heavy

    try:
        kind = get_tags(estimator).estimator_type
    except (AttributeError, TypeError, ValueError):
        kind = getattr(estimator, "_estimator_type", None)
    if kind is None and type(estimator).__name__ == "XGBRanker":
        return "ranker"
    if kind is None and hasattr(estimator, "classes_"):
        return "classifier"
    return None if kind is None else str(kind)


def _number(output: Output, kind: Any) -> Output:
    return msgspec.structs.replace(
        output, kind=kind, classes=None, positive=None, fields=_DEFAULT_FIELDS, available=_DEFAULT_FIELDS
    )


def _classifier(output: Output, estimator: Any, *, probabilities: bool) -> Output:
    classes = _classes(output.classes, estimator)
    is_binary = len(classes) == 2
    if output.positive is not None and (output.positive not in classes or not is_binary):
        raise SaveError(
            f"the positive class is {quote(output.positive)}, the classes are {quote(classes)}; name one of two"
        )
    available: tuple[Field, ...] = _DEFAULT_FIELDS
    if hasattr(estimator, "predict_proba"):
        available = (
            ("prediction", "probability", "probabilities") if is_binary else ("prediction", "probabilities")
        )
    elif is_binary and hasattr(estimator, "decision_function"):
        available = ("prediction", "score")
    missing = set(output.fields) - set(available)
    if missing:
        raise SaveError(
            f"{type(estimator).__name__} cannot answer {', '.join(sorted(missing))}, only {', '.join(available)}"
        )
    positive: Label | None = (
        (classes[1] if output.positive is None else output.positive) if is_binary else None
    )
    kind = "probability" if output.kind == "probability" else "label"
    if kind == "probability" and "probability" not in available:
        raise SaveError(
            f"kind 'probability' needs two classes and predict_proba; {type(estimator).__name__} is another"
        )
    fields = tuple(field for field in available if field in output.fields)
    if not probabilities:
        fields = tuple(field for field in fields if field in {"prediction", "score"})
    elif fields == _DEFAULT_FIELDS and kind == "label" and "score" not in available:
        fields = available[:2]
    return msgspec.structs.replace(
        output, kind=kind, classes=classes, positive=positive, fields=fields, available=available
    )


def _classes(stated: tuple[Label, ...] | None, estimator: Any) -> tuple[Label, ...]:
    """Return the labels in the order of the estimator's classes, each as the signature writes it."""
    import numpy as np  # noqa: PLC0415 - importing this module stays light

    found = getattr(estimator, "classes_", None)
    if found is None:
        raise SaveError(f"{type(estimator).__name__} has no classes_: fit it before you save it")
    if not isinstance(found, np.ndarray) or found.ndim != 1:
        raise SaveError("a model with several targets cannot be saved; save one model for each target")
    own = tuple(found.tolist())
    if stated is None:
        return own
    if len(stated) == len(own):
        if set(stated) == set(own):
            return tuple(next(label for label in stated if label == mine) for mine in own)
        if own == tuple(range(len(own))):
            return stated
    raise SaveError(
        f"the signature's classes are {quote(stated)}, those of the estimator {quote(own)}; infer the signature from the y"
        " that the estimator was fitted on, or state the labels of 0, 1, 2... in that order"
    )
