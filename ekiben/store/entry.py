"""Entry: the models of the store, found by name, version or alias, and what their files tell without loading them."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ekiben import artifact
from ekiben.artifact.card import CARD_FILE
from ekiben.artifact.manifest import MANIFEST_FILE, STORE_FILE, Manifest
from ekiben.artifact.model import METRICS_FILE, SIGNATURE_FILE, metrics_from_json
from ekiben.errors import ChangedFileError, EkibenError, MissingFileError, ModelNotFoundError, StoreError
from ekiben.signature import Signature
from ekiben.store import alias as alias_file
from ekiben.store import place, shelf

if TYPE_CHECKING:
    from ekiben.artifact import Model

_log = logging.getLogger(__name__)

DIGEST_KEY = "manifest_sha256"
"""Where BentoML's description of a model keeps the hash of our manifest."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One version in the store, for a list.

    Args:
        name: The model's name.
        version: Its version.
        aliases: The aliases of this version; `latest` is the newest of the name.
        created: When it was saved: UTC, ISO 8601.
        kind: What it answers.
        metrics: How good it was, the main metric first.
        size_bytes: How large it is on disk.
    """

    name: str
    version: str
    aliases: tuple[str, ...]
    created: str
    kind: str
    metrics: dict[str, float]
    size_bytes: int

    @property
    def tag(self) -> str:
        """`name:version`."""
        return f"{self.name}:{self.version}"

    @property
    def metric(self) -> tuple[str, float] | None:
        """The main metric: the first that was stated; None if there is none."""
        return next(iter(self.metrics.items()), None)


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """What the files of a version tell.

    Args:
        name: The model's name.
        version: Its version.
        created: When it was saved: UTC, ISO 8601.
        signature: What it takes and answers.
        metrics: How good it was.
        card: The page for people, Markdown.
        manifest: What it consists of and where it comes from.
    """

    name: str
    version: str
    created: str
    signature: Signature
    metrics: dict[str, float]
    card: str
    manifest: Manifest

    @property
    def tag(self) -> str:
        """`name:version`."""
        return f"{self.name}:{self.version}"


def resolve(tag: str) -> str:
    """Return the exact `name:version` of a model.

    Args:
        tag: `name` or `name:latest` (the newest), `name:version`, or `name:alias`. Inside a bento, which holds one
            version and no aliases, every alias stands for that.

    Raises:
        ModelNotFoundError: There is no such model, version or alias.
        StoreError: It is there, but BentoML cannot read it.
        ChangedFileError: What lies in its place is another model.
    """
    name, _, wanted = tag.partition(":")
    exact = shelf.find(name, wanted)
    if exact is not None:
        return exact
    parent = _home_of(name)
    stored = shelf.versions(name)
    found = [str(model.tag.version) for model in stored]
    stands_for = alias_file.find(parent, wanted)
    if stands_for in found:
        return f"{name}:{stands_for}"
    is_free = stands_for is None and not alias_file.is_version(wanted)
    if is_free and len(found) == 1 and shelf.is_bento(stored[0]):
        return f"{name}:{found[0]}"
    gone = f"the alias stands for {stands_for}, which was deleted; set it again" if stands_for else ""
    raise ModelNotFoundError(tag, [f"{name}:{each}" for each in (*found, *alias_file.read(parent))], gone)


def load(tag: str) -> Model:
    """Verify a model, then load it; see `artifact.read`.

    Args:
        tag: As `resolve` takes it.

    Raises:
        ModelNotFoundError: There is no such model, version or alias.
        ArtifactError: It is not what was saved, or must not be loaded; the error says which.
    """
    stored = shelf.ask("get", resolve(tag))
    folder = Path(stored.path)
    digest = stored.info.metadata.get(DIGEST_KEY)
    manifest = folder / MANIFEST_FILE
    if manifest.is_file():
        read = Manifest.read(folder)  # a manifest of a newer Ekiben says so itself
        if hashlib.sha256(manifest.read_bytes()).hexdigest() != digest:
            what = "is not the one that was saved" if digest else f"has lost its hash in {STORE_FILE}"
            raise ChangedFileError(
                f"{MANIFEST_FILE} of {stored.tag} {what}; save the model again, or fetch it again from where it came"
            )
        _check_identity(read, str(stored.tag.name), str(stored.tag.version))
    return artifact.read(folder)


def describe(tag: str) -> Description:
    """Return what the files of a model tell, without loading the estimator, and without verifying: `load` does.

    Args:
        tag: As `resolve` takes it.

    Raises:
        ModelNotFoundError: There is no such model, version or alias.
        ArtifactError: It was not saved by Ekiben, or by a newer one.
    """
    stored = shelf.ask("get", resolve(tag))
    return _description(Path(stored.path), str(stored.tag.name), str(stored.tag.version))


def signature(tag: str) -> Signature:
    """Return what a model takes and answers; raises as `describe`."""
    return describe(tag).signature


def card(tag: str) -> str:
    """Return the page for people about a model, Markdown; raises as `describe`."""
    return describe(tag).card


def models() -> list[Entry]:
    """Return the models of the store that Ekiben saved: by name, of each the newest version first.

    What cannot be read is passed over, with a warning in the log.
    """
    found: list[Entry] = []
    for name, stored in shelf.by_name().items():
        latest = _latest(name)
        known = alias_file.read(Path(stored[0].path).parent)
        for model in sorted(stored, key=lambda model: model.creation_time, reverse=True):
            version = str(model.tag.version)
            mine = [alias for alias, stands_for in known.items() if stands_for == version]
            if str(model.tag) == latest:
                mine.append("latest")
            entry = _entry(Path(model.path), name, version, tuple(mine))
            if entry is not None:
                found.append(entry)
    return found


def aliases(name: str) -> dict[str, str]:
    """Return the version that each alias of a model stands for.

    Raises:
        ModelNotFoundError: There is no such model.
    """
    return alias_file.read(_home_of(name))


def set_alias(name: str, alias: str, version: str | None = None) -> str:
    """Let `name:alias` stand for a version.

    Args:
        name: The model's name.
        alias: Such as `champion`: lower-case letters, digits, `-`, `_` and `.`.
        version: The version, or another alias of it; by default the newest.

    Returns:
        The exact `name:version`.

    Raises:
        ModelNotFoundError: There is no such model or version.
        StoreError: It cannot be an alias.
    """
    path = alias_file.path_of(_home_of(name), alias)
    if shelf.find(name, alias) is not None:
        raise StoreError(f"{alias!r} is a version of {name!r} and cannot be an alias")
    known = aliases(name)
    wanted = known.get(version or "", version)
    tag = shelf.find(name, wanted or "latest")
    if tag is None:
        versions = [str(model.tag.version) for model in shelf.versions(name)]
        raise ModelNotFoundError(f"{name}:{version}", [f"{name}:{each}" for each in (*versions, *known)])
    place.write(path, alias_file.encode(tag.partition(":")[2]))
    return tag


def remove_alias(name: str, alias: str) -> None:
    """Let `name:alias` stand for nothing.

    Raises:
        ModelNotFoundError: There is no such model or alias.
    """
    known = aliases(name)
    if alias not in known:
        raise ModelNotFoundError(f"{name}:{alias}", [f"{name}:{each}" for each in known])
    alias_file.path_of(_home_of(name), alias).unlink(missing_ok=True)


def delete(tag: str) -> None:
    """Remove one version from the store.

    Args:
        tag: The exact `name:version`.

    Raises:
        ModelNotFoundError: There is no such version.
        StoreError: It is not an exact version, an alias stands for it, or a bento needs it.
    """
    name, _, version = tag.partition(":")
    exact = resolve(tag)
    if exact != tag:
        raise StoreError(f"{tag!r} is not an exact version; to delete {exact}, name it so")
    bound = [alias for alias, stands_for in aliases(name).items() if stands_for == version]
    if bound:
        raise StoreError(
            f"{tag} is {', '.join(bound)}; first let the alias stand for another version: `ekiben alias {name} {bound[0]}"
            " VERSION`"
        )
    stored = shelf.ask("get", tag)
    users = shelf.users(stored)
    if users:
        raise StoreError(
            f"{tag} is needed by {', '.join(users)}; delete that first: `bentoml delete {users[0]}`"
        )
    place.remove(Path(stored.path))


def _latest(name: str) -> str | None:
    """Return the newest version, or None where it is broken."""
    try:
        return shelf.find(name, "latest")
    except EkibenError:
        return None


def _check_identity(manifest: Manifest, name: str, version: str) -> None:
    """Compare what a folder holds with where it lies."""
    if (manifest.name, manifest.version) != (name, version):
        raise ChangedFileError(
            f"the folder of {name}:{version} holds {manifest.name}:{manifest.version}; remove it, or fetch the model again"
            " from where it came"
        )


def _home_of(name: str) -> Path:
    """Return the folder that holds the versions and aliases of a model."""
    stored = shelf.versions(name)
    if not stored:
        raise ModelNotFoundError(name, shelf.by_name(), "train it, or look at `ekiben models`")
    return Path(stored[0].path).parent


def _entry(folder: Path, name: str, version: str, mine: tuple[str, ...]) -> Entry | None:
    """Return the entry of a folder; None if Ekiben did not save it, or cannot read it."""
    try:
        described = _description(folder, name, version)
    except EkibenError as error:
        if (folder / MANIFEST_FILE).exists():
            _log.warning("passed over: %s:%s: %s", name, version, error)
        return None
    return Entry(
        name=name,
        version=version,
        aliases=mine,
        created=described.created,
        kind=described.signature.output.kind,
        metrics=described.metrics,
        size_bytes=sum(path.stat().st_size for path in folder.iterdir() if path.is_file()),
    )


def _description(folder: Path, name: str, version: str) -> Description:
    manifest = Manifest.read(folder)
    _check_identity(manifest, name, version)
    try:
        texts = {each: (folder / each).read_bytes() for each in (SIGNATURE_FILE, METRICS_FILE, CARD_FILE)}
    except OSError as error:
        raise MissingFileError(
            f"{error.filename} cannot be read: {error.strerror}; save the model again"
        ) from error
    return Description(
        name=name,
        version=version,
        created=manifest.created,
        signature=Signature.from_json(texts[SIGNATURE_FILE]),
        metrics=metrics_from_json(texts[METRICS_FILE]),
        card=texts[CARD_FILE].decode(errors="replace"),
        manifest=manifest,
    )
