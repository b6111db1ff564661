"""Draft: a first `models/NAME.toml`, for people to go on with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import tomli_w

if TYPE_CHECKING:
    from collections.abc import Mapping

_GATED = ("roc_auc", "macro_f1", "r2")
_MARGIN = 0.03
_HEAD = "# What people decided about the model {name}; `ekiben fit` wrote this draft once and does not touch it again.\n"
_GATES = "\n# A version whose figure on the held-out rows is below one of these is not promoted.\n"


def write(folder: Path, name: str, *, purpose: str, domain: str, metrics: Mapping[str, float]) -> Path | None:
    """Write a draft unless there is a file of that name.

    Args:
        folder: Where the decisions are kept: `models`.
        name: The model.
        purpose: What it is for.
        domain: Of which field: finance, medicine.
        metrics: What it reached; the gates are a little below.

    Returns:
        The file, or None if there was one already.
    """
    path = Path(folder) / f"{name}.toml"
    if path.exists():
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    decisions = tomli_w.dumps({"purpose": purpose, "domain": domain})
    gates = tomli_w.dumps({"gates": gates_below(metrics)})
    path.write_text(_HEAD.format(name=name) + decisions + _GATES + gates, encoding="utf-8")
    return path


def gates_below(metrics: Mapping[str, float]) -> dict[str, float]:
    """Return gates a little below what was reached.

    >>> gates_below({"roc_auc": 0.826, "accuracy": 0.7})
    {'roc_auc': 0.79}
    """
    return {name: round(metrics[name] - _MARGIN - 0.005, 2) for name in _GATED if name in metrics}
