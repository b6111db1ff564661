"""Graph: every object that an estimator holds, in an order that is the same after a round trip."""

from __future__ import annotations

import functools
import types
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

_CLOSED = (str, bytes, bytearray, int, float, complex, bool, type, types.ModuleType, types.FunctionType)
_FIXED = object()


@dataclass(frozen=True, eq=False)
class Place:
    """Where an object was found.

    Args:
        path: How to get there from the estimator, for people: `estimator.steps[1][1].n_jobs`.
        value: The object.
        holder: The dict, list or object array that holds it; None where it cannot be replaced.
        key: Its key in the holder.
        parent: The place of the object that it belongs to; None for the estimator itself.
    """

    path: str
    value: Any
    holder: Any = None
    key: Any = None
    parent: Place | None = None

    def put(self, value: object) -> None:
        """Replace the object by `value`.

        Raises:
            TypeError: What holds the object cannot be changed.
        """
        if self.holder is None:
            raise TypeError(f"{self.path} cannot be replaced")
        self.holder[self.key] = value


def walk(root: object) -> Iterator[Place]:
    """Yield the places of an estimator and of all that it holds, depth first.

    An object with children is entered once, at its first place; a place that leads to it again is yielded, too.

    Args:
        root: The estimator.
    """
    pending = [Place("estimator", root)]
    entered: set[int] = set()
    while pending:
        place = pending.pop()
        yield place
        if isinstance(place.value, _CLOSED) or place.value is None or id(place.value) in entered:
            continue
        entered.add(id(place.value))
        pending.extend(reversed(list(_children(place))))


def _children(place: Place) -> Iterator[Place]:
    """Yield the places of what one object holds, in a fixed order."""
    value = place.value
    for suffix, item, key in _items(value):
        yield Place(place.path + suffix, item, None if key is _FIXED else value, key, place)
    attributes = getattr(value, "__dict__", None)
    if isinstance(attributes, dict):
        for name, item in list(attributes.items()):
            yield Place(f"{place.path}.{name}", item, attributes, name, place)


def _items(value: object) -> list[tuple[str, Any, Any]]:
    """Return how to write, the value, and the key of each item; `_FIXED` where it cannot be replaced."""
    items: list[tuple[str, Any, Any]] = []
    match value:
        case dict():
            items = [(f"[{key!r}]", item, key) for key, item in value.items()]
        case list():
            items = [(f"[{index}]", item, index) for index, item in enumerate(value)]
        case tuple() | set() | frozenset():
            items = [(f"[{index}]", item, _FIXED) for index, item in enumerate(value)]
        case np.ndarray() if value.dtype == object:
            items = [(str(list(index)), value[index], index) for index in np.ndindex(value.shape)]
        case types.MethodType():
            items = [(".__self__", value.__self__, _FIXED)]
        case functools.partial():
            items = [(f".{name}", getattr(value, name), _FIXED) for name in ("func", "args", "keywords")]
    return items
