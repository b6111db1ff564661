"""Saving: a fitted estimator becomes a model of the store, whole and tried out, or not at all."""

from __future__ import annotations

import hashlib
import math
import numbers
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import msgspec

from ekiben import artifact, policy
from ekiben.artifact import provenance
from ekiben.artifact.answer import describe, reconcile
from ekiben.artifact.manifest import MANIFEST_FILE, PROTOCOL, Manifest
from ekiben.errors import ArtifactError, PolicyError, SaveError, UntrustedTypeError, quote
from ekiben.store import naming, place, probing
from ekiben.store.entry import DIGEST_KEY
from ekiben.store.shelf import NAME
from ekiben.store.trial import Trial, as_table, compare

if TYPE_CHECKING:
    from pathlib import Path

    import bentoml

    from ekiben.artifact import Model
    from ekiben.signature import Label, Signature


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
    trust = _check_stated(signature, trust, seed, {"purpose": purpose, "domain": domain})
    decided = policy.load(name)
    estimator = _final(estimator)
    signature = _completed(signature, estimator, decided.positive, probabilities=probabilities)
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
        seed=None if seed is None else int(seed),
        fingerprint=_fingerprint(training, sample, signature),
    )
    model = artifact.Model(tag.name, str(tag.version), signature, _numbers(metrics), "", manifest, estimator)
    with place.staging() as folder:
        stored = _write(folder, model, Trial.of(model, sample, labels, seed or 0), trust)
        place.place(
            folder,
            tag,
            labels=_labels(stored, signature) | dict(tags or {}),
            metadata=_metadata(stored, model.metrics) | {DIGEST_KEY: _digest(folder)},
            versions=stored.versions,
        )
    return tag


def _write(folder: Path, model: Model, trial: Trial, trust: Iterable[str | type]) -> Manifest:
    """Write a model, read it back, and let it answer again."""
    answers = trial.answers(model)
    naming.check(model, None if trial.frame is None else answers[-1], trial.given)
    probing.probe(model)
    stored = artifact.write(
        folder,
        model.estimator,
        manifest=model.manifest,
        signature=model.signature,
        metrics=model.metrics,
        trust=trust,
        reference=trial.reference(answers, model.signature),
    )
    try:
        again = artifact.read(folder)
    except UntrustedTypeError:
        raise
    except ArtifactError as error:
        raise SaveError(f"what was written cannot be read back: {error}") from error
    compare(answers, trial.answers(again))
    return stored


def _new_tag(name: str) -> bentoml.Tag:
    """Return a new version of that name."""
    import bentoml  # noqa: PLC0415 - heavy

    if not isinstance(name, str) or NAME.fullmatch(name) is None:
        raise SaveError(
            f"{quote(name)} cannot be the name of a model; use lower-case letters, digits, '-', '_' and '.', at most 63"
            " characters, a letter or a digit at both ends"
        )
    return bentoml.Tag(name, None).make_new_version()


def _check_stated(
    signature: object, trust: Any, seed: object, texts: Mapping[str, object]
) -> list[str | type]:
    """Refuse what is of another type than `save` says, and return `trust` as a list."""
    from ekiben.signature import Signature  # noqa: PLC0415 - above for types only

    if not isinstance(signature, Signature):
        raise SaveError(f"signature is a {type(signature).__name__}; give what Signature.infer(X, y) returns")
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, numbers.Integral)):
        raise SaveError(f"seed is {quote(seed)}, expected a whole number")
    for key, text in texts.items():
        if text is not None and not isinstance(text, str):
            raise SaveError(f"{key} is {quote(text)}, expected a text")
    if isinstance(trust, (str, type)) or not isinstance(trust, Iterable):
        shown = repr(trust) if isinstance(trust, str) else getattr(trust, "__name__", quote(trust))
        raise SaveError(f"trust is {shown}, expected a list: trust=[{shown}]")
    trusted = list(trust)
    for one in trusted:
        if not isinstance(one, str) and not hasattr(one, "__qualname__"):
            kind = type(one).__name__
            raise SaveError(f"trust holds an object of the type {kind}; name the type: trust=[{kind}]")
    return trusted


def _final(estimator: Any) -> Any:
    """Return what answers: of a search the best estimator."""
    if hasattr(estimator, "cv_results_") and not hasattr(estimator, "best_estimator_"):
        raise SaveError(
            f"{type(estimator).__name__} has no best estimator: give it refit=True, or fit one with its best_params_ and"
            " save that"
        )
    return getattr(estimator, "best_estimator_", estimator)


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


def _completed(
    signature: Signature, estimator: Any, positive: Label | None, *, probabilities: bool
) -> Signature:
    """Return the signature with what the estimator and the policy say about the answer."""
    _check_names(estimator, signature)
    output = reconcile(signature.output, estimator, probabilities=probabilities)
    if positive is not None:
        classes = output.classes or ()
        if len(classes) != 2 or positive not in classes:
            raise PolicyError(
                f"the policy says that {quote(positive)} is the positive class, but the model answers"
                f" {quote(classes) if classes else 'no classes'}; name one of two"
            )
        output = msgspec.structs.replace(output, positive=classes[classes.index(positive)])
    return msgspec.structs.replace(signature, output=output)


def _numbers(metrics: Mapping[str, float] | None) -> dict[str, float]:
    """Return the metrics as plain finite numbers."""
    if metrics is not None and not isinstance(metrics, Mapping):
        raise SaveError(f"metrics is {quote(metrics)}, expected numbers by name: {{'roc_auc': 0.9}}")
    checked = {}
    for name, value in (metrics or {}).items():
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number):
            raise SaveError(f"metric {name!r} is {quote(value)}, expected a finite number")
        checked[str(name)] = number
    return checked


def _fingerprint(training: Any, sample: Any, signature: Signature) -> provenance.Fingerprint | None:
    if training is not None:
        return provenance.fingerprint(as_table(training, signature), "training data")
    return None if sample is None else provenance.fingerprint(as_table(sample, signature), "sample")


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


def _digest(folder: Path) -> str:
    return hashlib.sha256((folder / MANIFEST_FILE).read_bytes()).hexdigest()
