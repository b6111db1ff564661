"""Checked: what came of looking through a frame."""

from __future__ import annotations

from typing import Any

import msgspec

from ekiben.errors import Problem  # noqa: TC001  msgspec reads the annotation at run time


class Checked(msgspec.Struct, frozen=True):
    """A checked frame.

    Args:
        frame: The rows that fit, with the columns and dtypes of training and a fresh index.
        positions: Where each of them stood in the frame that was checked, counted from 0; shape (rows,), int64.
        problems: What is wrong with the other rows, by their positions.
    """

    frame: Any
    positions: Any
    problems: dict[int, list[Problem]]
