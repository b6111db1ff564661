"""Options: what people choose about the scoring of a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Keep: TypeAlias = Literal["ids", "all", "none"]


@dataclass(frozen=True)
class Options:
    """What people choose about the scoring of a file.

    Args:
        keep: Which columns of the input stand before the answers: `ids` (those that the model does not know), `all`,
            or `none`.
        fields: What an answer holds; None for what the signature says.
        resume: Go on with an unfinished run, if there is one.
        restart: Throw an unfinished run away.
        overwrite: Replace an output that is there already.
        chunk_rows: Rows that are scored in one go; None for what suits the scorer and the width of the table. Changes
            the memory that is needed, not the result.
    """

    keep: Keep = "ids"
    fields: tuple[str, ...] | None = None
    resume: bool = False
    restart: bool = False
    overwrite: bool = False
    chunk_rows: int | None = None
