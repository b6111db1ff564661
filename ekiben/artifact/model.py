"""Model: a stored model, read or written as a folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from ekiben.artifact import card as cards
from ekiben.artifact import native
from ekiben.artifact.manifest import MANIFEST_FILE, FileRecord, Manifest
from ekiben.artifact.reference import REFERENCE_FILE
from ekiben.errors import ArtifactError, MissingFileError, SaveError
from ekiben.signature import Signature

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

SIGNATURE_FILE = "signature.json"
"""Where the signature lies in the folder of a model."""

METRICS_FILE = "metrics.json"
"""Where the metrics lie."""


@dataclass(frozen=True, repr=False, eq=False)
class Model:
    """A stored model, verified and loaded.

    Args:
        name: Its name.
        version: Its version in the store.
        signature: What it takes and answers.
        metrics: How good it was when it was saved.
        card: The page for people, Markdown.
        manifest: Where it comes from.
        estimator: The fitted estimator.
    """

    name: str
    version: str
    signature: Signature
    metrics: dict[str, float]
    card: str
    manifest: Manifest
    estimator: Any

    @property
    def tag(self) -> str:
        """`name:version`."""
        return f"{self.name}:{self.version}"

    def __repr__(self) -> str:
        return f"<Model {self.tag}: {self.manifest.estimator}>"


def read(folder: Path) -> Model:
    """Verify the folder of a model, then load it.

    Nothing but the manifest is opened before every file has been checked, and what is loaded are the checked bytes.

    Args:
        folder: Where `write` put it.

    Raises:
        ChangedFileError, MissingFileError, ExtraFileError: The folder does not hold what was saved.
        ProtocolError: It was written by a newer Ekiben.
        UntrustedTypeError: It asks for types that nobody vouched for.
        ArtifactError: It cannot be read.
    """
    manifest = Manifest.read(folder)
    boosters = [name for name in manifest.files if native.BOOSTER_FILE.fullmatch(name)]
    wanted = (native.MODEL_FILE, SIGNATURE_FILE, METRICS_FILE, cards.CARD_FILE)
    for name in wanted:
        if name not in manifest.files:
            raise MissingFileError(f"{MANIFEST_FILE} lists no {name}; save the model again")
    files = manifest.verify(folder, keep=(*wanted, *boosters))
    return Model(
        name=manifest.name,
        version=manifest.version,
        signature=Signature.from_json(files[SIGNATURE_FILE]),
        metrics=metrics_from_json(files[METRICS_FILE]),
        card=files[cards.CARD_FILE].decode(),
        manifest=manifest,
        estimator=native.load(
            {name: files[name] for name in (native.MODEL_FILE, *boosters)}, manifest.trusted
        ),
    )


def write(
    folder: Path,
    estimator: object,
    *,
    manifest: Manifest,
    signature: Signature,
    metrics: Mapping[str, float],
    trust: Iterable[str | type] = (),
    reference: bytes | None = None,
) -> Manifest:
    """Write a model into an empty folder.

    Args:
        folder: Where to write.
        estimator: The fitted estimator.
        manifest: What is known about the model so far; the files and the trusted names are filled in.
        signature: What it takes and answers.
        metrics: How good it is.
        trust: Types and functions of your own that the estimator holds.
        reference: The sample that `reference.encode` made, if there is one.

    Returns:
        The manifest as written.

    Raises:
        SaveError, UntrustedTypeError: The estimator cannot be stored; see `native.dump`.
    """
    if any(folder.iterdir()):
        raise SaveError(f"{folder} is not empty")
    files, trusted = native.dump(estimator, trust)
    manifest = msgspec.structs.replace(manifest, trusted=trusted)
    files[SIGNATURE_FILE] = signature.to_json()
    files[METRICS_FILE] = msgspec.json.format(msgspec.json.encode(dict(metrics)), indent=2) + b"\n"
    files[cards.CARD_FILE] = cards.render(manifest, signature, metrics).encode()
    if reference is not None:
        files[REFERENCE_FILE] = reference
    manifest = msgspec.structs.replace(
        manifest, files={name: FileRecord.of(data) for name, data in sorted(files.items())}
    )
    for name, data in files.items():
        (folder / name).write_bytes(data)
    (folder / MANIFEST_FILE).write_bytes(manifest.to_json())
    return manifest


def metrics_from_json(data: bytes) -> dict[str, float]:
    """Return the metrics that `write` wrote.

    Raises:
        ArtifactError: They are no numbers by name.
    """
    try:
        return msgspec.json.decode(data, type=dict[str, float])
    except msgspec.DecodeError as error:
        raise ArtifactError(f"{METRICS_FILE} cannot be read: {error}; save the model again") from error
