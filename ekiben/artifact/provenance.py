"""Provenance: where a model comes from: libraries, commit, script, data."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ekiben import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

GIT_TIMEOUT_S = 5.0
"""How long git may take to answer."""

_LIBRARIES = ("scikit-learn", "xgboost", "numpy", "scipy", "pandas", "skops")
_OTHER_NAMES = {"xgboost": ("xgboost-cpu",)}
_FORM = (
    "per column: name, dtype and pandas.util.hash_pandas_object of the values, in the order of the columns"
)


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """The commit of the project that trained the model.

    Args:
        commit: Its full hash.
        dirty: Whether files that git knows had been changed since.
    """

    commit: str
    dirty: bool


class Fingerprint(msgspec.Struct, frozen=True, kw_only=True):
    """What the data was, in a few bytes: equal data has an equal fingerprint.

    Args:
        sha256: The hash, in hexadecimal.
        data: Which data: `training data` or `sample`.
        rows: How many rows.
        columns: How many columns.
        form: What was hashed, in words.
    """

    sha256: str
    data: str
    rows: int
    columns: int
    form: str = _FORM


def now() -> str:
    """Return the time in UTC as ISO 8601 text with whole seconds: `2026-11-22T15:04:05Z`."""
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def versions(others: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the versions of Python and of the libraries that a model depends on.

    Args:
        others: More of them, by name.
    """
    found = {"python": platform.python_version(), "ekiben": __version__}
    for library in _LIBRARIES:
        for name in (library, *_OTHER_NAMES.get(library, ())):
            try:
                found[library] = version(name)
            except PackageNotFoundError:
                continue
            break
    return found | dict(others or {})


def commit(folder: Path | None = None) -> Commit | None:
    """Return the commit that `folder` (by default the current one) is at, or None outside a repository or without git."""
    try:
        head = _git(folder, "rev-parse", "HEAD").strip()
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return None
    return Commit(commit=head, dirty=bool(changed.strip()))


def script() -> str | None:
    """Return the script that runs, relative to its repository or to the current folder, or None outside of a script."""
    path = Path(sys.argv[0]) if sys.argv and sys.argv[0] else None
    if path is None or not path.is_file():
        return None
    path = path.resolve()
    roots = [Path.cwd()]
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        roots.insert(0, Path(_git(path.parent, "rev-parse", "--show-toplevel").strip()))
    for root in roots:
        if path.is_relative_to(root.resolve()):
            return path.relative_to(root.resolve()).as_posix()
    return path.name


def fingerprint(frame: pd.DataFrame, data: str) -> Fingerprint:
    """Return the fingerprint of a frame.

    Args:
        frame: The data; its index does not count.
        data: Which data it is, in words.
    """
    import pandas as pd  # noqa: PLC0415 - heavy

    digest = hashlib.sha256()
    for position, name in enumerate(frame.columns):
        column = frame.iloc[:, position]
        digest.update(f"{name}\0{column.dtype}\0".encode())
        try:
            hashes = pd.util.hash_pandas_object(column, index=False)
        except TypeError:  # a column of mixed objects
            hashes = pd.util.hash_pandas_object(column.map(repr), index=False)
        digest.update(hashes.to_numpy().astype("<u8").tobytes())
    return Fingerprint(sha256=digest.hexdigest(), data=data, rows=len(frame), columns=frame.shape[1])


def _git(folder: Path | None, *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603 - our own arguments
        ["git", *arguments],  # noqa: S607 - the git that the user has
        cwd=folder,
        capture_output=True,
        check=True,
        encoding="utf-8",
        timeout=GIT_TIMEOUT_S,
    )
    return done.stdout
