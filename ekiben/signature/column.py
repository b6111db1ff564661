"""Column: what one input is called, what it may hold, and what training saw of it."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec
from msgspec.structs import replace

from ekiben.errors import SignatureError, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

Kind: TypeAlias = Literal["float", "integer", "boolean", "category", "text", "timestamp"]
Category: TypeAlias = str | int | float | bool
Value: TypeAlias = object
"""One cell, decoded: float, int, bool, str, datetime, or None where it is missing."""

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
"""The shares of training rows at which `Column.quantiles` stand."""

_NUMBERS = {"float", "integer"}
_FITTING: dict[str, set[str]] = {
    "float": {"float", "integer", "category"},
    "int": {"integer", "category"},
    "uint": {"integer", "category"},
    "bool": {"boolean"},
    "boolean": {"boolean"},
    "str": {"text", "category"},
    "string": {"text", "category"},
    "category": {"category", "boolean"},
    "datetime": {"timestamp"},
    "object": {"float", "integer", "boolean", "category", "text"},
}
"""Which kinds a family of dtypes can hold."""

_DTYPE = re.compile(
    r"float(16|32|64)|Float(32|64)|u?int(8|16|32|64)|U?Int(8|16|32|64)|bool|boolean|str|string|object"
    r"|category(\[[a-z]+\d*\])?|datetime64\[(s|ms|us|ns)(, .+)?\]"
)
"""The dtypes that rows can be turned into."""


class Column(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One column of the input.

    Args:
        name: Any text, as it stands in the table: `Air temperature [K]`.
        kind: What a value is, for the caller.
        dtype: The pandas dtype that the pipeline was fitted on (`float32`, `str`, `category`, `datetime64[us]`). Where
            categories are of a type that pandas would not choose for them, `category[int32]`.
        nullable: Whether a value may be missing (`null`, or left out).
        missing: What stands for a missing value in a column of dtype `object`: NaN or None.
        categories: The values that a category may take, in their order.
        ordered: Whether that order means something.
        unseen: What to do with a category that is not listed: `error` refuses the row, `pass` hands it to the
            pipeline, which must be able to take it (in a column of dtype `category` it arrives as missing).
        minimum: The smallest value that training saw (a timestamp as ISO 8601 text).
        maximum: The largest value that training saw.
        quantiles: What training saw, at the shares `QUANTILES`; numbers only.
        lower: A value below this is refused. Stated by people, in `unit`.
        upper: A value above this is refused.
        unit: The unit of the values, for people: `K`, `EUR`, `min`.
        description: What the column means, for people.

    Raises:
        SignatureError: The parts do not fit together.
    """

    name: str
    kind: Kind
    dtype: str
    nullable: bool = False
    missing: Literal["nan", "none"] = "nan"
    categories: tuple[Category, ...] | None = None
    ordered: bool = False
    unseen: Literal["error", "pass"] = "error"
    minimum: float | str | None = None
    maximum: float | str | None = None
    quantiles: tuple[float, ...] = ()
    lower: float | None = None
    upper: float | None = None
    unit: str | None = None
    description: str | None = None

    def __post_init__(self) -> None:
        flaw = _flaw(self)
        if flaw is not None:
            raise SignatureError(f"column {self.name!r}: {flaw}")


def as_nullable(column: Column) -> Column:
    """Return `column` as one that may miss values, in the dtype that numpy and pandas use for that."""
    family = dtype_family(column.dtype)
    if column.dtype.islower() and family in {"int", "uint"}:
        return replace(column, nullable=True, dtype="float64")
    if column.dtype == "bool":
        return replace(column, nullable=True, dtype="boolean")
    return replace(column, nullable=True)


def advise(name: str, names: Sequence[str]) -> str:
    """Return what to say about a `name` that is not among `names`: the nearest, or which there are.

    >>> advise("agee", ["age", "amount"])
    "did you mean 'age'?"
    """
    near = nearest(name, names)
    if near is not None:
        return f"did you mean {near!r}?"
    return f"the columns are {', '.join(map(repr, names[:10]))}" + (", …" if len(names) > 10 else "")


def dtype_family(dtype: str) -> str:
    """Return the first word of `dtype`, in lower case and without its width.

    >>> [dtype_family(name) for name in ("Float32", "uint8", "datetime64[us, UTC]", "category[int32]")]
    ['float', 'uint', 'datetime', 'category']
    """
    return dtype.lower().partition("[")[0].rstrip("0123456789")


def _flaw(column: Column) -> str | None:
    """Return what is wrong with `column`, or None."""
    return (
        _dtype_flaw(column)
        or _policy_flaw(column)
        or _categories_flaw(column)
        or _bounds_flaw(column)
        or _text_flaw(column)
    )


def _dtype_flaw(column: Column) -> str | None:
    family = dtype_family(column.dtype)
    if _DTYPE.fullmatch(column.dtype) is None:
        return f"the dtype {column.dtype!r} is not known; expected one such as float64, Int64, str, category"
    if column.kind not in _FITTING[family]:
        fitting = ", ".join(sorted(_FITTING[family]))
        return f"the dtype {column.dtype!r} cannot hold the kind {column.kind!r}; it can hold: {fitting}"
    return None


def _policy_flaw(column: Column) -> str | None:
    family = dtype_family(column.dtype)
    if column.nullable and column.dtype.islower() and family in {"int", "uint", "bool"}:
        return f"the dtype {column.dtype!r} cannot hold a missing value; use float64, Int64 or boolean"
    if column.unseen == "pass" and column.kind != "category":
        return f"unseen='pass' is for categories, and this is a {column.kind}"
    if column.missing == "none" and family != "object":
        return f"missing='none' is for the dtype object, and this is {column.dtype}"
    return None


def _categories_flaw(column: Column) -> str | None:
    if column.categories is None:
        return (
            "a category needs its categories"
            if column.kind == "category" or column.dtype == "category"
            else None
        )
    if column.kind not in {"category", "boolean"}:
        return f"categories are for the kind 'category', and this is a {column.kind}"
    return _set_flaw(column.categories, is_boolean=column.kind == "boolean")


def _set_flaw(categories: tuple[Category, ...], *, is_boolean: bool) -> str | None:
    kinds = {type(one) for one in categories}
    if not kinds:
        return "there is no category; expected at least one"
    if len(set(categories)) < len(categories):
        return "a category stands twice"
    if is_boolean != (kinds == {bool}):
        return "true and false are the kind 'boolean', and other categories are not"
    if not any(kinds <= allowed for allowed in ({bool}, {str, int}, {int, float})):
        names = ", ".join(sorted(kind.__name__ for kind in kinds))
        return f"categories are texts, or numbers, not a mixture ({names})"
    if any(isinstance(one, float) and not math.isfinite(one) for one in categories):
        return "a category is NaN or infinite; NaN is a missing value, not a category"
    return None


def _bounds_flaw(column: Column) -> str | None:
    for word, bound in (("lower", column.lower), ("upper", column.upper)):
        if bound is None:
            continue
        if column.kind not in _NUMBERS:
            return f"{word}={bound} is for numbers, and this is a {column.kind}"
        if not math.isfinite(bound):
            return f"{word}={bound} is no bound; expected a finite number, or None"
    if column.lower is not None and column.upper is not None and column.lower > column.upper:
        return f"lower={column.lower} is above upper={column.upper}"
    return None


def _text_flaw(column: Column) -> str | None:
    """Return what is wrong with the texts: what cannot be written as UTF-8 cannot be asked for."""
    for text in (column.name, *(one for one in column.categories or () if isinstance(one, str))):
        try:
            text.encode()
        except UnicodeEncodeError:
            return f"{text!r} is not valid Unicode; expected text that can be written as UTF-8"
    return None
