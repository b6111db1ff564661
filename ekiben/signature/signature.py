"""Signature: what a model takes and what it answers; the one thing that all stages share."""

from __future__ import annotations

from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from ekiben.errors import InputError, ProtocolError, SignatureError, quote
from ekiben.signature.cell import Cell
from ekiben.signature.column import Column, advise, as_nullable
from ekiben.signature.decoder import Decoder
from ekiben.signature.output import Output
from ekiben.signature.records import Records
from ekiben.signature.schema import answer_schema, record_schema

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    import pandas as pd

    from ekiben.signature.checked import Checked
    from ekiben.signature.column import Category, Kind
    from ekiben.signature.frame import Framer
    from ekiben.signature.output import Field, Label, OutputKind

PROTOCOL = 1
"""The number of the stored form; a newer one is refused."""


class Signature(msgspec.Struct, frozen=True, dict=True):
    """What a model takes and what it answers.

    Args:
        columns: The input, in the order of training.
        output: The answer.
        example: A typical row, ready to be sent as JSON.
        container: What the pipeline is fed: a pandas frame, or a numpy array.
        extra: What to do with a column that the model does not know: refuse the row, or ignore the column.
        protocol: The number of the stored form.

    Raises:
        SignatureError: The parts do not fit together.
    """

    columns: tuple[Column, ...]
    output: Output
    example: dict[str, Any] = {}
    container: Literal["pandas", "numpy"] = "pandas"
    extra: Literal["error", "ignore"] = "error"
    protocol: int = PROTOCOL

    def __post_init__(self) -> None:
        if not self.columns:
            raise SignatureError("there is no column; expected at least one")
        _check_parts(type(self), "the signature", {"extra": self.extra, "container": self.container})
        names = self.names
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise SignatureError(f"the column name {twice!r} stands twice; expected different names")
        if self.example:
            try:
                Records(self._cells, self.extra).rows([self.example], single=True)
            except InputError as error:
                raise SignatureError(f"the typical row does not fit: {error}") from None

    @classmethod
    def infer(
        cls,
        X: Any,
        y: Any = None,
        *,
        names: Sequence[str] | None = None,
        target: str | None = None,
        output: OutputKind | None = None,
        classes: Sequence[Label] | None = None,
        positive: Label | None = None,
        fields: Sequence[Field] | None = None,
        kinds: Mapping[str, Kind] | None = None,
        categories: Mapping[str, Sequence[Category]] | None = None,
        nullable: Collection[str] = (),
        max_categories: int = 100,
        extra: Literal["error", "ignore"] = "error",
    ) -> Signature:
        """Return the signature of a model that is fitted on `X` and `y`.

        Args:
            X: A pandas or polars frame, a pyarrow table, or a numpy array of shape (rows, columns).
            y: One target for each row; None where there is none.
            names: The names of an array's columns.
            target: What is predicted; by default the name of `y`.
            output: What the answer is; by default texts, booleans, categories and at most 20 different integers are
                a `label`, other numbers a `number`.
            classes: The labels, in the order of the columns of `predict_proba`; by default sorted, those of a pandas
                Categorical in its own order.
            positive: The label whose probability is meant; by default the second of two.
            fields: What an answer holds; by default the prediction.
            kinds: The kind of a column, where the data would say another.
            categories: The categories of a column, where the data would say others.
            nullable: Columns that may miss values although none is missing in `X`.
            max_categories: A column of texts with more distinct values is a text, no category.
            extra: What to do with columns that the model does not know.

        Raises:
            SignatureError: It cannot be inferred; it says why and what to do.
        """
        from ekiben.signature.infer import infer_columns, infer_example, infer_output  # noqa: PLC0415  the client does without
        from ekiben.signature.table import as_frame  # noqa: PLC0415  the client does without

        frame, container = as_frame(X, names)
        columns = infer_columns(
            frame, kinds=kinds, categories=categories, nullable=nullable, max_categories=max_categories
        )
        if y is not None and len(y) != len(frame):
            raise SignatureError(
                f"X has {len(frame)} rows and y has {len(y)} values; expected one for each row"
            )
        answer = infer_output(y, kind=output, name=target, classes=classes, positive=positive, fields=fields)
        return cls(columns, answer, infer_example(frame, columns), container, extra)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in their order."""
        return tuple(column.name for column in self.columns)

    def describe(
        self,
        column: str,
        *,
        unit: str | UnsetType | None = UNSET,
        description: str | UnsetType | None = UNSET,
        lower: float | UnsetType | None = UNSET,
        upper: float | UnsetType | None = UNSET,
        unseen: Literal["error", "pass"] | UnsetType = UNSET,
        nullable: bool | UnsetType = UNSET,
        kind: Kind | UnsetType = UNSET,
        categories: Sequence[Category] | UnsetType | None = UNSET,
    ) -> Signature:
        """Return a copy in which one column is described as people know it; what is not given stays.

        Args:
            column: Its name.
            unit: The unit of its values: `K`, `EUR`.
            description: What it means.
            lower: A value below this is refused, in its unit.
            upper: A value above this is refused.
            unseen: What to do with a category that is not listed.
            nullable: Whether a value may be missing.
            kind: What a value is, within what its dtype can hold.
            categories: The categories, in their order.

        Raises:
            SignatureError: There is no such column, or it cannot be described so.
        """
        if column not in self.names:
            raise SignatureError(f"there is no column {column!r}; {advise(column, self.names)}")
        index = self.names.index(column)
        given = {
            "unit": unit, "description": description, "lower": lower, "upper": upper,
            "unseen": unseen, "kind": kind, "categories": categories,
        }  # fmt: skip
        changes = {key: _plain(value) for key, value in given.items() if value is not UNSET}
        _check_parts(Column, f"column {column!r}", changes)
        if kind is not UNSET and kind not in {"category", "boolean"}:
            changes.setdefault("categories", None)
        described = replace(self.columns[index], **changes)
        if nullable is not UNSET:
            described = as_nullable(described) if nullable else replace(described, nullable=False)
        example = {
            name: _retyped(value, described) if name == column else value
            for name, value in self.example.items()
        }
        columns = (*self.columns[:index], described, *self.columns[index + 1 :])
        return replace(self, columns=columns, example=example)

    def with_output(self, **changes: Any) -> Signature:
        """Return a copy whose output has other parts, named as the arguments of `Output`.

        Raises:
            SignatureError: There is no such part, or it does not fit.
        """
        unknown = [name for name in changes if name not in Output.__struct_fields__]
        if unknown:
            known = ", ".join(Output.__struct_fields__)
            raise SignatureError(f"an output has no part {unknown[0]!r}; its parts are {known}")
        plain = {name: _plain(value) for name, value in changes.items()}
        _check_parts(Output, "the output", plain)
        return replace(self, output=replace(self.output, **plain))

    def to_json(self) -> bytes:
        """Return the stored form."""
        return msgspec.json.encode(self)

    @classmethod
    def from_json(cls, data: bytes | str) -> Signature:
        """Return the signature that `data`, a stored form, holds.

        Raises:
            ProtocolError: It was written by a newer Ekiben.
            SignatureError: It is broken.
        """
        try:
            protocol = msgspec.json.decode(data, type=_Protocol).protocol
            if protocol > PROTOCOL:
                raise ProtocolError(
                    f"the signature has the protocol {protocol}, and this Ekiben reads up to {PROTOCOL}; "
                    "install a newer Ekiben"
                )
            return msgspec.json.decode(data, type=cls)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise SignatureError(
                f"the stored signature cannot be read: {error}; save the model again"
            ) from None

    def decoder(self) -> Decoder:
        """Return the decoder of requests, compiled once."""
        return self._decoder

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schema (2020-12) of one record, its properties in the order of the columns."""
        return record_schema(self.columns, self.example, self.extra)

    def answer_schema(self) -> dict[str, Any]:
        """Return the JSON Schema (2020-12) of one answer."""
        return answer_schema(self.output)

    def frame(self, rows: Sequence[tuple[Any, ...]]) -> Any:
        """Return decoded `rows` as the pipeline was fitted on them.

        Args:
            rows: Values in the order of the columns; None is a missing one.

        Returns:
            A pandas frame with the dtypes of training, or an array of shape (rows, columns) if the container is numpy.
        """
        return self._framer.build(rows)

    def check_records(self, records: Iterable[Mapping[str, object]]) -> list[tuple[Any, ...]]:
        """Return `records`, which may hold numpy and pandas scalars, as rows.

        Raises:
            InputError: Rows do not fit; it lists every problem.
        """
        return Records(self._cells, self.extra).rows(records)

    def check_frame(self, frame: pd.DataFrame, *, passthrough: Collection[str] = ()) -> Checked:
        """Return the rows of `frame` that fit, and what is wrong with the others.

        Whole numbers may stand in columns of floats, as pandas leaves them where values are missing; timestamps may be
        ISO 8601 texts. Nothing else is coerced.

        Args:
            frame: Any rows.
            passthrough: Columns that are left alone, and are not in the result.

        Raises:
            InputError: A column is missing, unknown, or stands twice: no row can be checked.
        """
        from ekiben.signature.check import check_frame  # noqa: PLC0415  the client does without

        return check_frame(frame, self._cells, self.extra, passthrough)

    # A frozen Struct keeps what it compiles in its __dict__, which is not stored and not compared.

    @cached_property
    def _cells(self) -> dict[str, Cell]:
        return {column.name: Cell(column) for column in self.columns}

    @cached_property
    def _decoder(self) -> Decoder:
        return Decoder(self.columns, self.extra)

    @cached_property
    def _framer(self) -> Framer:
        from ekiben.signature.frame import Framer  # noqa: PLC0415  the client does without

        return Framer(self.columns, self.container)


class _Protocol(msgspec.Struct):
    protocol: int = PROTOCOL


def _check_parts(kind: type[msgspec.Struct], what: str, parts: Mapping[str, Any]) -> None:
    """Compare parts of a struct with its types, which nobody checks but who reads the stored form."""
    hints = _hints(kind)
    for name, value in parts.items():
        try:
            msgspec.convert(value, hints[name])
        except msgspec.ValidationError as error:
            literals = [one for one in get_args(hints[name]) if isinstance(one, str)]
            expected = f"expected one of {', '.join(literals)}" if literals else str(error)
            raise SignatureError(f"{what}: {name}={quote(value)}; {expected}") from None


@cache
def _hints(kind: type[msgspec.Struct]) -> dict[str, Any]:
    return {field.name: field.type for field in msgspec.structs.fields(kind)}


def _plain(value: Any) -> Any:
    """Return a setting as it is stored: sequences and arrays as tuples, without numpy's types."""
    if isinstance(value, (list, tuple, np.ndarray)):
        return tuple(map(_plain, value))
    return value.item() if isinstance(value, np.generic) else value


def _retyped(value: Any, column: Column) -> Any:
    """Return a value of the typical row as the kind of `column` writes it."""
    whole = column.kind == "integer" or (
        column.kind == "category" and not any(isinstance(one, float) for one in column.categories or ())
    )
    if whole and isinstance(value, float) and value.is_integer():
        return int(value)
    return value
