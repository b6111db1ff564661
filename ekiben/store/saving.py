"""Saving: a fitted estimator becomes a model of the store, whole and tried out, or not at all."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import warnings
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from ekiben import artifact, policy
from ekiben.artifact import provenance, reference
from ekiben.artifact.answer import describe, reconcile
from ekiben.artifact.manifest import MANIFEST_FILE, PROTOCOL, Manifest
from ekiben.engine import NativeEngine
from ekiben.engine.native import label_array, name_labels
from ekiben.errors import ArtifactError, EkibenError, InputError, SaveError, UntrustedTypeError, quote
from ekiben.signature.table import as_frame, as_series
from ekiben.store import place
from ekiben.store.entry import DIGEST_KEY
from ekiben.store.shelf import NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import bentoml
    import pandas as pd

    from ekiben.artifact import Model
    from ekiben.engine import Predictions
    from ekiben.signature import Signature

TOLERANCE_EPS = 64
"""How far numbers may be off after a round trip, in units of their own precision: where an array lies in memory decides in
which order a library sums it up. Trees and boosters give the same bits."""


@dataclasses.dataclass(frozen=True, eq=False)
class _Sample:
    """What of the sample is kept: rows as trained, and their labels if there are any."""

    frame: pd.DataFrame
    labels: np.ndarray[Any, Any] | None


def save(
    name: str,
    estimator: Any,
    *,
    signature: Signature,
    sample: Any = None,
    labels: Any = None,
    metrics: Mapping[str, float] | None = None,
    purpose: str | None = None,
    domain: str | None = None,
    seed: int | None = None,
    training: Any = None,
    trust: Iterable[str | type] = (),
    probabilities: bool = True,
    tags: Mapping[str, str] | None = None,
) -> bentoml.Tag:
    """Store a fitted estimator as a new version of a model.

    It is written beside the store, read back, and asked to answer the sample again; only then it enters the store, in one
    step. What is stored holds no pickle.

    Args:
        name: The model's name: lower-case letters, digits, `-`, `_` and `.`.
        estimator: A fitted estimator, pipeline or search (of which the best estimator is kept).
        signature: What it takes; what it answers is completed from the estimator.
        sample: Rows that it was not fitted on: a table, or an array with the signature's columns. At most 2000 of them
            are kept, with what the model answers to them. Needs the extra `arrow`.
        labels: What was true in the rows of `sample`.
        metrics: How good it is, the main metric first.
        purpose: What it is for; by default as `models/NAME.toml` says.
        domain: The field of work; by default as `models/NAME.toml` says.
        seed: The seed of the training.
        training: The rows that it was fitted on, for their fingerprint; by default that of `sample` is taken.
        trust: Types and functions of your own that the estimator holds: `["shop.features.Ratio"]`.
        probabilities: Whether answers hold probabilities unless the caller asks otherwise.
        tags: Labels for BentoML: `{"team": "risk"}`.

    Returns:
        Name and version; `str(tag)` is `name:version`.

    Raises:
        SaveError: It cannot be stored as it is; the message says what to do.
        UntrustedTypeError: It holds types that nobody vouched for; the message says how.
        PolicyError: `models/NAME.toml` says something that cannot be.
        MissingExtraError: There is a sample, but no pyarrow.
    """
    tag = _new_tag(name)
    decided = policy.load(name)
    estimator = getattr(estimator, "best_estimator_", estimator)
    _check_names(estimator, signature)
    if (
        decided.positive is not None
        and signature.output.classes
        and decided.positive in signature.output.classes
    ):
        signature = signature.with_output(positive=decided.positive)
    output = reconcile(signature.output, estimator, probabilities=probabilities)
    signature = msgspec.structs.replace(signature, output=output)
    manifest = Manifest(
        name=tag.name,
        version=str(tag.version),
        created=provenance.now(),
        files={},
        versions=provenance.versions({"bentoml": version("bentoml")}),
        estimator=describe(estimator),
        purpose=decided.purpose if purpose is None else purpose,
        domain=decided.domain if domain is None else domain,
        commit=provenance.commit(),
        script=provenance.script(),
        seed=seed,
        fingerprint=_fingerprint(training, sample, signature),
    )
    probe = artifact.Model(tag.name, str(tag.version), signature, _numbers(metrics), "", manifest, estimator)
    kept = _sample(sample, labels, probe, seed or 0)
    with place.staging() as folder:
        before = _answers(probe, kept)
        stored = artifact.write(
            folder,
            estimator,
            manifest=manifest,
            signature=signature,
            metrics=probe.metrics,
            trust=trust,
            reference=None if kept is None else _reference(kept, before[-1], signature),
        )
        try:
            _compare(before, _answers(artifact.read(folder), kept))
        except UntrustedTypeError:
            raise
        except ArtifactError as error:
            raise SaveError(f"what was written cannot be read back: {error}") from error
        digest = hashlib.sha256((folder / MANIFEST_FILE).read_bytes()).hexdigest()
        place.place(
            folder,
            tag,
            labels=_labels(stored, signature) | dict(tags or {}),
            metadata=_metadata(stored, probe.metrics) | {DIGEST_KEY: digest},
            versions=stored.versions,
        )
    return tag


def _new_tag(name: str) -> bentoml.Tag:
    """Return a new version of that name."""
    import bentoml  # noqa: PLC0415 - heavy

    if not isinstance(name, str) or NAME.fullmatch(name) is None:
        raise SaveError(
            f"{quote(name)} cannot be the name of a model; use lower-case letters, digits, '-', '_' and '.', at most 63"
            " characters, a letter or a digit at both ends"
        )
    return bentoml.Tag(name, None).make_new_version()


def _check_names(estimator: Any, signature: Signature) -> None:
    """Compare the columns that the estimator was fitted on with those of the signature."""
    fitted = getattr(estimator, "feature_names_in_", None)
    count = getattr(estimator, "n_features_in_", None)
    if fitted is not None and tuple(fitted) != signature.names:
        unlike = [
            f"{mine!r} for {theirs!r}"
            for mine, theirs in zip(signature.names, fitted, strict=False)
            if mine != theirs
        ]
        raise SaveError(
            f"the signature's columns are not those that the estimator was fitted on: {len(signature.names)} and"
            f" {len(fitted)} columns{', ' if unlike else ''}{', '.join(unlike[:3])}; infer the signature from the X of fit"
        )
    if fitted is None and count is not None and count != len(signature.columns):
        raise SaveError(
            f"the signature has {len(signature.columns)} columns, the estimator was fitted on {count}; infer the signature"
            " from the X of fit"
        )


def _numbers(metrics: Mapping[str, float] | None) -> dict[str, float]:
    """Return the metrics as plain finite numbers."""
    numbers = {}
    for name, value in (metrics or {}).items():
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number):
            raise SaveError(f"metric {name!r} is {quote(value)}, expected a finite number")
        numbers[str(name)] = number
    return numbers


def _table(data: Any, signature: Signature) -> pd.DataFrame:
    """Return a table or an array as a frame."""
    return as_frame(data, signature.names if isinstance(data, np.ndarray) else None)[0]


def _fingerprint(training: Any, sample: Any, signature: Signature) -> provenance.Fingerprint | None:
    if training is not None:
        return provenance.fingerprint(_table(training, signature), "training data")
    return None if sample is None else provenance.fingerprint(_table(sample, signature), "sample")


def _sample(sample: Any, labels: Any, model: Model, seed: int) -> _Sample | None:
    """Return the rows of the sample that are kept, as trained."""
    if sample is None:
        if labels is not None:
            raise SaveError("there are labels, but no sample that they belong to; give sample= too")
        return None
    frame = _table(sample, model.signature)
    truth = None if labels is None else as_series(labels).to_numpy()
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
    return _Sample(checked.frame, truth)


def _tell_refused(problems: Mapping[int, list[Any]], rows: int) -> None:
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


def _answers(model: Model, kept: _Sample | None) -> list[Predictions]:
    """Return what the model answers to its example row and to the sample: all that it can answer."""
    engine = NativeEngine(model)
    fields = model.signature.output.available
    answers: list[Predictions] = []
    try:
        if model.signature.example:
            answers.append(
                engine.predict_rows(model.signature.check_records([model.signature.example]), fields)
            )
        if kept is not None and len(kept.frame):
            answers.append(engine.predict_frame(kept.frame, fields))
    except EkibenError as error:
        raise SaveError(f"the estimator does not answer as its signature says: {error}") from error
    except Exception as error:  # whatever an estimator raises
        raise SaveError(
            f"the estimator cannot answer rows that fit the signature: {type(error).__name__}: {error}; was every step of"
            " it fitted, and on the columns of the signature?"
        ) from error
    return answers


def _compare(before: list[Predictions], after: list[Predictions]) -> None:
    for mine, read in zip(before, after, strict=True):
        for what in ("prediction", "probabilities", "score"):
            first, second = getattr(mine, what), getattr(read, what)
            if first is not None and not _are_equal(first, second):
                raise SaveError(
                    f"the {what} of the stored model is not that of the estimator: does it hold state that is not stored, or"
                    " does it answer at random?"
                )


def _are_equal(first: np.ndarray[Any, Any], second: np.ndarray[Any, Any]) -> bool:
    if np.array_equal(first, second):
        return True
    if first.dtype.kind != "f":
        return False
    tolerance = TOLERANCE_EPS * float(np.finfo(first.dtype).eps)
    return bool(np.allclose(first, second, rtol=tolerance, atol=tolerance))


def _reference(kept: _Sample, answers: Predictions, signature: Signature) -> bytes:
    return reference.encode(
        kept.frame,
        signature.output,
        prediction=answers.prediction,
        probabilities=answers.probabilities,
        score=answers.score,
        labels=kept.labels,
    )


def _labels(manifest: Manifest, signature: Signature) -> dict[str, str]:
    """Return what BentoML filters by."""
    has_booster = any(name.startswith("booster-") for name in manifest.files)
    labels = {"framework": "xgboost" if has_booster else "scikit-learn", "task": signature.output.kind}
    return labels | ({"domain": manifest.domain} if manifest.domain else {})


def _metadata(manifest: Manifest, metrics: Mapping[str, float]) -> dict[str, Any]:
    """Return what `bentoml models get` shows."""
    return {
        "purpose": manifest.purpose,
        "estimator": manifest.estimator,
        "metrics": dict(metrics),
        "size_bytes": manifest.size_bytes,
        "ekiben_protocol": PROTOCOL,
    }
