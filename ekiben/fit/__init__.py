"""From a table to a model: reading, cleaning, comparing, tuning, evaluating.

`ekiben fit` is these pieces in a row, and the scripts in `train/` use them one by one. A name is imported when it is
first used: a server that loads a model with `CalendarFeatures` in it needs none of the rest.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ekiben.fit.calendar import CalendarFeatures
    from ekiben.fit.comparison import Comparison, Score, compare
    from ekiben.fit.evaluation import evaluate
    from ekiben.fit.fitting import Fitted, fit
    from ekiben.fit.flags import Arguments, arguments
    from ekiben.fit.holdout import Split, split
    from ekiben.fit.interface import signature
    from ekiben.fit.report import show
    from ekiben.fit.source import read
    from ekiben.fit.table import Table, prepare
    from ekiben.fit.tuning import Tuned, tune
    from ekiben.fit.validation import CrossValidation

_HOME = {
    "Arguments": "flags",
    "CalendarFeatures": "calendar",
    "Comparison": "comparison",
    "CrossValidation": "validation",
    "Fitted": "fitting",
    "Score": "comparison",
    "Split": "holdout",
    "Table": "table",
    "Tuned": "tuning",
    "arguments": "flags",
    "compare": "comparison",
    "evaluate": "evaluation",
    "fit": "fitting",
    "prepare": "table",
    "read": "source",
    "show": "report",
    "signature": "interface",
    "split": "holdout",
    "tune": "tuning",
}

__all__ = [
    "Arguments",
    "CalendarFeatures",
    "Comparison",
    "CrossValidation",
    "Fitted",
    "Score",
    "Split",
    "Table",
    "Tuned",
    "arguments",
    "compare",
    "evaluate",
    "fit",
    "prepare",
    "read",
    "show",
    "signature",
    "split",
    "tune",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
