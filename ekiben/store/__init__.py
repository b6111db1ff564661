"""Store: models saved, found and loaded, in BentoML's model store."""

from ekiben.store.entry import (
    Description,
    Entry,
    aliases,
    card,
    delete,
    describe,
    load,
    models,
    remove_alias,
    resolve,
    set_alias,
    signature,
)
from ekiben.store.saving import save

__all__ = [
    "Description",
    "Entry",
    "aliases",
    "card",
    "delete",
    "describe",
    "load",
    "models",
    "remove_alias",
    "resolve",
    "save",
    "set_alias",
    "signature",
]
