"""Alias: names for versions of a model: `credit:champion`.

Each alias is a small file beside the versions, as BentoML's own `latest` is, so that it is written in one step and two
programs that set different aliases do not undo each other.
"""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

import msgspec

from ekiben.errors import ProtocolError, StoreError, quote
from ekiben.store.shelf import NAME

if TYPE_CHECKING:
    from pathlib import Path

PROTOCOL = 1
"""The form of an alias file."""

_GENERATED_VERSION = re.compile(r"[a-z2-7]{16}")
_SUFFIX = ".alias.json"


class _Alias(msgspec.Struct, frozen=True, kw_only=True):
    version: str
    protocol: int = PROTOCOL


def read(parent: Path) -> dict[str, str]:
    """Return the version that each alias of a model stands for; one that cannot be read is passed over.

    Args:
        parent: The folder that holds the versions of the model.
    """
    found = {}
    for path in sorted(parent.glob(f"*{_SUFFIX}")):
        with contextlib.suppress(StoreError, ProtocolError):
            found[path.name.removesuffix(_SUFFIX)] = _decode(path)
    return found


def find(parent: Path, alias: str) -> str | None:
    """Return the version that an alias stands for, or None if there is no such alias.

    Args:
        parent: The folder that holds the versions of the model.
        alias: The alias.

    Raises:
        ProtocolError: It was written by a newer Ekiben.
        StoreError: It cannot be read.
    """
    path = parent / f"{alias}{_SUFFIX}"
    return _decode(path) if NAME.fullmatch(alias) and path.exists() else None


def encode(version: str) -> str:
    """Return what the file of an alias holds."""
    return msgspec.json.encode(_Alias(version=version)).decode()


def path_of(parent: Path, alias: str) -> Path:
    """Return the file of an alias.

    Raises:
        StoreError: It cannot be the name of an alias.
    """
    if alias == "latest" or NAME.fullmatch(alias) is None or is_version(alias):
        raise StoreError(
            f"{quote(alias)} cannot be an alias; use lower-case letters, digits, '-', '_' and '.', at most 63 characters,"
            " and neither 'latest' nor what looks like a version"
        )
    return parent / f"{alias}{_SUFFIX}"


def is_version(text: str) -> bool:
    """Return whether a text looks like a version that BentoML made.

    >>> is_version("q6wcj6xh3gzlaasc"), is_version("champion")
    (True, False)
    """
    return _GENERATED_VERSION.fullmatch(text) is not None


def _decode(path: Path) -> str:
    try:
        alias = msgspec.json.decode(path.read_bytes(), type=_Alias)
    except (OSError, msgspec.DecodeError) as error:
        raise StoreError(f"{path} cannot be read: {error}; set the alias again") from error
    if alias.protocol > PROTOCOL:
        raise ProtocolError(
            f"{path} has protocol {alias.protocol}, this Ekiben reads up to {PROTOCOL}; install a newer one"
        )
    return alias.version
