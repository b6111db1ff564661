"""Shelf: the versions of models as BentoML keeps them, asked for through its public names; its errors become ours."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ekiben.artifact.manifest import STORE_FILE
from ekiben.errors import ChangedFileError, ModelNotFoundError, StoreError
from ekiben.store import place

if TYPE_CHECKING:
    import bentoml

_log = logging.getLogger(__name__)

NAME = re.compile(r"[a-z0-9]([-._a-z0-9]{0,61}[a-z0-9])?")
"""What BentoML takes as a name or a version."""


def ask(action: str, name: str) -> Any:
    """Call `bentoml.models.get` or `.list`, with its errors as ours."""
    import bentoml  # noqa: PLC0415 - heavy
    from bentoml.exceptions import BentoMLException, NotFound  # noqa: PLC0415 - heavy

    try:
        return getattr(bentoml.models, action)(name)
    except NotFound as error:
        raise ModelNotFoundError(name, hint="look at `ekiben models`") from error
    except BentoMLException as error:
        raise StoreError(f"BentoML cannot read {name or 'its store'}: {error}") from error
    except Exception as error:  # a broken model.yaml: whatever its parser raises
        text = " ".join(str(error).split())[:200]
        raise StoreError(
            f"BentoML cannot read {name or 'its store'}: is {STORE_FILE} broken? ({type(error).__name__}: {text});"
            " fetch the model again from where it came, or remove its folder"
        ) from error


def find(name: str, version: str) -> str | None:
    """Return the exact `name:version`, of the newest if `version` is empty or `latest`; None if there is none.

    Raises:
        StoreError: It is there, but BentoML cannot read it.
        ChangedFileError: What lies in its place is another model.
    """
    if NAME.fullmatch(name) is None or (version and NAME.fullmatch(version) is None):
        return None
    if version in {"", "latest"}:
        return _latest(name)
    try:
        stored = ask("get", f"{name}:{version}")
    except ModelNotFoundError:
        return None
    except StoreError:
        if (place.home() / "models" / name / version).is_dir():
            raise
        return None
    if Path(stored.path).name != version:  # BentoML takes the beginning of a version, too
        return None
    return str(_in_place(stored, name).tag)


def _latest(name: str) -> str | None:
    try:
        return str(_in_place(ask("get", name), name).tag)
    except ModelNotFoundError:
        return None
    except StoreError:  # a version that another program left half copied
        stored = versions(name)
        if len(stored) < len(_folders(name)):  # no: one that is broken, and may be the newest
            raise
        return str(max(stored, key=lambda model: model.creation_time).tag) if stored else None


def versions(name: str) -> list[bentoml.Model]:
    """Return the versions of a model; none if there is no such name.

    What another program left half copied is passed over, although BentoML then refuses to list anything; what is broken
    is, too, with a warning.
    """
    if NAME.fullmatch(name) is None:
        return []
    try:
        stored = list(ask("list", name))
    except ModelNotFoundError:
        return []
    except StoreError:
        stored = _readable(name)
    return [model for model in stored if _is_in_place(model)]


def by_name() -> dict[str, list[bentoml.Model]]:
    """Return the versions of all models by name, sorted by name."""
    try:
        stored = list(ask("list", ""))
    except StoreError:
        stored = _readable("*")
    found: dict[str, list[bentoml.Model]] = {}
    for model in sorted(stored, key=lambda model: str(model.tag.name)):
        if _is_in_place(model):
            found.setdefault(str(model.tag.name), []).append(model)
    return found


def is_bento(stored: bentoml.Model) -> bool:
    """Return whether a model lies in a bento, and not in the store of the machine."""
    return (Path(stored.path).parents[2] / "bento.yaml").is_file()


def _readable(name: str) -> list[bentoml.Model]:
    """Return what can be read, with a warning for each that cannot."""
    found = []
    for folder in _folders(name):
        try:
            found.append(ask("get", f"{folder.parent.name}:{folder.name}"))
        except StoreError as error:
            _log.warning("passed over: %s", error)
    return found


def _in_place(stored: bentoml.Model, name: str) -> bentoml.Model:
    """Return a model that lies where its name and version say.

    Raises:
        ChangedFileError: It is another one.
    """
    folder = Path(stored.path)
    if (stored.tag.name, stored.tag.version) != (name, folder.name):
        raise ChangedFileError(
            f"the folder of {name}:{folder.name} holds {stored.tag}: somebody copied it there; remove {folder}"
        )
    return stored


def _is_in_place(stored: bentoml.Model) -> bool:
    try:
        _in_place(stored, Path(stored.path).parent.name)
    except ChangedFileError as error:
        _log.warning("passed over: %s", error)
        return False
    return True


def _folders(name: str) -> list[Path]:
    """Return the folders that hold a model, without asking BentoML."""
    return [path.parent for path in sorted((place.home() / "models").glob(f"{name}/*/{STORE_FILE}"))]


def users(stored: bentoml.Model) -> list[str]:
    """Return the bentos that need this version out of the store, because they do not hold a copy."""
    import bentoml  # noqa: PLC0415 - heavy

    return [
        str(bento.tag)
        for bento in bentoml.list()
        if not (Path(bento.path) / "models").is_dir()
        and any(model.tag == stored.tag for model in bento.info.all_models)
    ]
