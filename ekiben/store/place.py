"""Place: puts a complete folder into BentoML's model store, and takes one out, in one step each.

BentoML copies a model into its store file by file. A process that is killed meanwhile leaves half a model, which breaks
`bentoml models list`, or is served. Here BentoML writes its description of the model, and the complete folder is then
renamed into the store: it is there as a whole or not at all.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ekiben.artifact.manifest import STORE_FILE
from ekiben.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import bentoml

LATEST_FILE = "latest"
"""Where BentoML keeps which version of a model is the latest one."""

STALE_S = 24 * 3600.0
"""A folder left behind by a save that was killed is removed after this time, in seconds."""


class _Described(Exception):  # noqa: N818 - a signal, not an error
    """BentoML has written its description; nothing else is wanted of it."""


def home() -> Path:
    """Return the folder that BentoML keeps its stores in: `BENTOML_HOME`, by default `~/bentoml`."""
    stated = os.environ.get("BENTOML_HOME")
    return Path(os.path.expandvars(stated)).expanduser() if stated else Path.home() / "bentoml"


@contextlib.contextmanager
def staging() -> Iterator[Path]:
    """Give an empty folder on the file system of the store, which is gone afterwards if it was not placed."""
    parent = home() / "ekiben" / "staging"
    parent.mkdir(parents=True, exist_ok=True)
    for left in parent.iterdir():
        with contextlib.suppress(FileNotFoundError):  # another save removes it at the same time
            if time.time() - left.stat().st_mtime > STALE_S:
                shutil.rmtree(left, ignore_errors=True)
    folder = parent / uuid.uuid4().hex
    folder.mkdir()  # not mkdtemp: others may read models, as far as the umask says
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def place(
    folder: Path,
    tag: bentoml.Tag,
    *,
    labels: Mapping[str, str],
    metadata: Mapping[str, Any],
    versions: Mapping[str, str],
) -> None:
    """Make a folder the model `tag` of the store.

    Args:
        folder: A complete folder, in `staging`; afterwards it is in the store.
        tag: Name and version.
        labels: For `bentoml models get`.
        metadata: For `bentoml models get`.
        versions: The libraries that the model needs, by name.

    Raises:
        StoreError: The store is not where `BENTOML_HOME` says, or cannot be written to.
    """
    import bentoml  # noqa: PLC0415 - heavy

    _describe(folder, tag, labels, metadata, versions)
    target = home() / "models" / tag.path()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write(target.parent / LATEST_FILE, target.name)  # BentoML looks elsewhere as long as it is not there
        shutil.move(folder, target)  # a rename, unless the store is on another file system than BENTOML_HOME
        write(target.parent / LATEST_FILE, target.name)  # somebody may have looked in between
    except OSError as error:
        _forget(target)
        raise StoreError(f"{tag} cannot be put into {target.parent}: {error}") from error
    except BaseException:
        _forget(target)
        raise
    found = next((model for model in bentoml.models.list(tag) if Path(model.path).samefile(target)), None)
    if found is None:
        _forget(target)
        raise StoreError(
            f"BentoML does not find {tag} in {target}; set BENTOML_HOME before the program starts, and save outside of a bento"
        )


def remove(target: Path) -> None:
    """Take the folder of a model out of the store."""
    with staging() as trash:
        target.rename(trash / target.name)
    _tidy(target.parent)


def _describe(
    folder: Path,
    tag: bentoml.Tag,
    labels: Mapping[str, str],
    metadata: Mapping[str, Any],
    versions: Mapping[str, str],
) -> None:
    """Have BentoML write its description of the model into the folder."""
    import bentoml  # noqa: PLC0415 - heavy

    context = bentoml.models.ModelContext(framework_name="ekiben", framework_versions=dict(versions))
    with (
        contextlib.suppress(_Described),
        bentoml.models.create(
            tag, module="ekiben.store", labels=dict(labels), metadata=dict(metadata), context=context
        ) as model,
    ):
        model.flush()  # type: ignore[no-untyped-call]  # BentoML leaves it untyped
        shutil.copyfile(model.path_of(STORE_FILE), folder / STORE_FILE)
        raise _Described  # else BentoML would copy the folder now


def _forget(target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    with contextlib.suppress(OSError):
        _tidy(target.parent)


def _tidy(parent: Path) -> None:
    """Let BentoML find the latest version again, and drop what belongs to no version."""
    if any(path.is_dir() for path in parent.iterdir()):
        latest = parent / LATEST_FILE
        if not latest.exists() or not (parent / latest.read_text().strip()).is_dir():
            latest.unlink(missing_ok=True)
    else:
        shutil.rmtree(parent)


def write(path: Path, text: str) -> None:
    """Write a small file in one step."""
    fresh = path.with_name(f".{path.name}-{uuid.uuid4().hex}")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)
