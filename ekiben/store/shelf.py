"""Shelf: the versions of models as BentoML keeps them, asked for through its public names; its errors become ours."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ekiben.artifact.manifest import STORE_FILE
from ekiben.errors import ModelNotFoundError, StoreError
from ekiben.store import place

if TYPE_CHECKING:
    import bentoml

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


def find(name: str, version: str) -> str | None:
    """Return the exact `name:version`, of the newest if `version` is empty or `latest`; None if there is none."""
    if NAME.fullmatch(name) is None or (version and NAME.fullmatch(version) is None):
        return None
    if version in {"", "latest"}:
        return _latest(name)
    try:
        tag = ask("get", f"{name}:{version}").tag
    except (ModelNotFoundError, StoreError):
        return None
    return str(tag) if tag.version == version else None  # BentoML takes the beginning of a version, too


def _latest(name: str) -> str | None:
    try:
        return str(ask("get", name).tag)
    except ModelNotFoundError:
        return None
    except StoreError:  # a version that another program left half copied
        stored = versions(name)
        return str(max(stored, key=lambda model: model.creation_time).tag) if stored else None


def versions(name: str) -> list[bentoml.Model]:
    """Return the versions of a model; none if there is no such name.

    What another program left half copied is passed over, although BentoML then refuses to list anything.
    """
    if NAME.fullmatch(name) is None:
        return []
    try:
        return list(ask("list", name))
    except ModelNotFoundError:
        return []
    except StoreError:
        return [ask("get", f"{name}:{folder.name}") for folder in _folders(name)]


def by_name() -> dict[str, list[bentoml.Model]]:
    """Return the versions of all models by name, sorted by name."""
    try:
        stored = list(ask("list", ""))
    except StoreError:
        stored = [ask("get", f"{folder.parent.name}:{folder.name}") for folder in _folders("*")]
    found: dict[str, list[bentoml.Model]] = {}
    for model in sorted(stored, key=lambda model: str(model.tag.name)):
        found.setdefault(str(model.tag.name), []).append(model)
    return found


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
