"""Manifest: what a stored model consists of and where it comes from; nothing is opened before it has been verified."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import msgspec

from ekiben.artifact.provenance import Commit, Fingerprint  # noqa: TC001 - msgspec reads the types
from ekiben.errors import (
    ArtifactError,
    ChangedFileError,
    ExtraFileError,
    MissingFileError,
    ProtocolError,
    nearest,
)

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

PROTOCOL = 1
"""The form that this version writes, and the newest that it reads."""

MANIFEST_FILE = "manifest.json"
"""Where the manifest lies in the folder of a model."""

STORE_FILE = "model.yaml"
"""BentoML's own description of the model; it lies beside our files and is never read by them."""

_CHUNK_BYTES = 1 << 20
_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_AGAIN = "save the model again, or fetch it again from where it came"


class FileRecord(msgspec.Struct, frozen=True):
    """One file of a model.

    Args:
        sha256: The SHA-256 of its bytes, in hexadecimal.
        size_bytes: How many bytes it has.
    """

    sha256: str
    size_bytes: int

    @classmethod
    def of(cls, data: bytes) -> FileRecord:
        """Return the record of a file with these bytes."""
        return cls(hashlib.sha256(data).hexdigest(), len(data))


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a stored model consists of and where it comes from.

    Args:
        name: The model's name.
        version: Its version in the store.
        created: When it was saved: UTC, ISO 8601.
        files: Every file but this one, by name.
        versions: The libraries that it was made with.
        trusted: The types and functions that were vouched for when it was saved.
        estimator: The class of the estimator, for people: `Pipeline(ColumnTransformer, XGBClassifier)`.
        purpose: What the model is for.
        domain: The field of work.
        commit: The commit of the project that trained it; None outside a repository.
        script: The training script; None if there was none.
        seed: The seed of the training, if stated.
        fingerprint: What data it was made with; None if no data was given.
        protocol: The form of the folder.
    """

    name: str
    version: str
    created: str
    files: dict[str, FileRecord]
    versions: dict[str, str]
    trusted: tuple[str, ...] = ()
    estimator: str = ""
    purpose: str = ""
    domain: str = ""
    commit: Commit | None = None
    script: str | None = None
    seed: int | None = None
    fingerprint: Fingerprint | None = None
    protocol: int = PROTOCOL

    @property
    def size_bytes(self) -> int:
        """How many bytes the files have together."""
        return sum(record.size_bytes for record in self.files.values())

    def to_json(self) -> bytes:
        """Return the stored form."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"

    @classmethod
    def from_json(cls, data: bytes) -> Manifest:
        """Return the manifest that `to_json` wrote.

        Raises:
            ProtocolError: It was written by a newer Ekiben.
            ArtifactError: It is not a manifest.
        """
        try:
            protocol = msgspec.json.decode(data, type=_Protocol).protocol
            if not 1 <= protocol <= PROTOCOL:
                raise ProtocolError(
                    f"{MANIFEST_FILE} has protocol {protocol}, this Ekiben reads 1 to {PROTOCOL}; install a newer Ekiben,"
                    " or save the model with this one"
                )
            manifest = msgspec.json.decode(data, type=cls)
        except msgspec.DecodeError as error:
            raise ArtifactError(f"{MANIFEST_FILE} cannot be read: {error}; {_AGAIN}") from error
        for name in manifest.files:
            if _FILE_NAME.fullmatch(name) is None or name in {MANIFEST_FILE, STORE_FILE}:
                raise ArtifactError(
                    f"{MANIFEST_FILE} names {name!r}, which is no file of a model's folder; {_AGAIN}"
                )
        return manifest

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Return the manifest of a model's folder, without looking at any other file.

        Raises:
            MissingFileError: There is none.
            ProtocolError, ArtifactError: See `from_json`.
        """
        path = folder / MANIFEST_FILE
        if not path.is_file():
            raise MissingFileError(
                f"{MANIFEST_FILE} is missing in {folder}; it is no model of Ekiben's, or {_AGAIN}"
            )
        return cls.from_json(path.read_bytes())

    def verify(self, folder: Path, keep: Collection[str] = ()) -> dict[str, bytes]:
        """Check that the folder holds exactly the files that were saved, and return some of them.

        What is returned are the very bytes that were checked, so that nothing can be put in between.

        Args:
            folder: The folder of the model.
            keep: The names of the files to return.

        Raises:
            ExtraFileError: It holds a file, folder or link that was not saved with it.
            MissingFileError: A file is not there.
            ChangedFileError: A file has other bytes.
        """
        self._check_names(folder)
        checked = {
            name: _check(folder / name, record, is_kept=name in keep) for name, record in self.files.items()
        }
        return {name: data for name, data in checked.items() if data is not None}

    def _check_names(self, folder: Path) -> None:
        """Compare the names in the folder with those of the manifest."""
        for path in sorted(folder.iterdir()):
            known = path.name in self.files or path.name in {MANIFEST_FILE, STORE_FILE}
            if not known or path.is_symlink() or not path.is_file():
                what = "link" if path.is_symlink() else "file" if path.is_file() else "folder"
                near = nearest(path.name, self.files)
                hint = f" (it holds {near})" if near and not known else ""
                raise ExtraFileError(
                    f"{path.name}: a {what} that was not saved with the model{hint}; remove it from {folder}"
                )
        for name in self.files:
            if not (folder / name).exists():
                raise MissingFileError(f"{name} is missing in {folder}; {_AGAIN}")


class _Protocol(msgspec.Struct):
    protocol: int


def _check(path: Path, record: FileRecord, *, is_kept: bool) -> bytes | None:
    """Check one file, and return its bytes if they are kept."""
    digest, size_bytes = hashlib.sha256(), 0
    chunks: list[bytes] = []
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
            size_bytes += len(chunk)
            if size_bytes > record.size_bytes:
                break
            if is_kept:
                chunks.append(chunk)
    if size_bytes != record.size_bytes or digest.hexdigest() != record.sha256:
        raise ChangedFileError(
            f"{path.name} is not the file that was saved: expected {record.size_bytes} bytes with SHA-256"
            f" {record.sha256[:12]}…, found {'more' if size_bytes > record.size_bytes else size_bytes} bytes with"
            f" {digest.hexdigest()[:12]}…; {_AGAIN}"
        )
    return b"".join(chunks) if is_kept else None
