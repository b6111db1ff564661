"""Policy: what people decided about a served model, in `models/NAME.toml`.

```toml
purpose   = "Probability that an applicant defaults"
domain    = "finance"
threshold = 0.35            # the positive class is answered from this probability on
positive  = "bad"           # the class whose probability is meant
[gates]                     # a version that misses one is not promoted
roc_auc = 0.74              # at least
log_loss = 0.60             # at most, as for every metric that measures an error
```
"""

from __future__ import annotations

import math
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ekiben.errors import PolicyError, nearest, quote

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path("models")
"""Where the policies of a project lie."""

_ERROR_METRICS = frozenset(
    {"brier", "ece", "fnr", "fpr", "mae", "mape", "mse", "msle", "rmse", "rmsle", "smape", "wape"}
)
_ERROR_ENDINGS = ("_loss", "_error", "_deviance")


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What people decided about one model.

    Args:
        purpose: What the model is for, in a sentence.
        domain: The field of work: `finance`, `medicine`, ...
        threshold: The positive class is answered from this probability on, between 0 and 1, both excluded. None leaves
            the choice to the estimator.
        positive: The class whose probability is meant where there are two. None leaves it to the signature.
        gates: Bounds that a version has to meet, by metric: at most for metrics that measure an error (see
            `is_error`), at least for all others.
    """

    purpose: str = ""
    domain: str = ""
    threshold: float | None = None
    positive: str | int | float | bool | None = None
    gates: dict[str, float] = msgspec.field(default_factory=dict)

    def missed(self, metrics: Mapping[str, float]) -> list[str]:
        """Return the gates that a version with these metrics misses, each in words; an empty list if none.

        A metric that was not measured, or is not a number, misses its gate.

        >>> Policy(gates={"roc_auc": 0.74, "log_loss": 0.6}).missed({"roc_auc": 0.71, "log_loss": 0.5})
        ['roc_auc is 0.71, the gate asks for at least 0.74']
        """
        return [miss for name, bound in self.gates.items() if (miss := _miss(name, bound, metrics.get(name)))]


def load(name: str, folder: Path = FOLDER) -> Policy:
    """Return the policy of the model `name`, or the defaults if `folder` holds none.

    Args:
        name: The model's name; the file is `NAME.toml`.
        folder: Where the policies lie.

    Raises:
        PolicyError: The file says something that cannot be.
    """
    path = folder / f"{name}.toml"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Policy()
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"{path}: cannot be read: {error}") from error
    try:
        stated = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"{path}: not valid TOML: {error}") from error
    return _checked(stated, path)


def is_error(metric: str) -> bool:
    """Return whether a smaller value of this metric is better.

    True for `mae`, `rmse`, `mape`, `brier`, ..., also with a prefix (`valid_rmse`), and for names that end in
    `_loss`, `_error` or `_deviance`; False for scikit-learn's negated scores (`neg_log_loss`).

    >>> [is_error(name) for name in ("roc_auc", "log_loss", "rmse", "neg_log_loss")]
    [False, True, True, False]
    """
    folded = metric.casefold()
    if folded.startswith("neg_"):
        return False
    return folded.rpartition("_")[2] in _ERROR_METRICS or folded.endswith((*_ERROR_ENDINGS, "brier_score"))


def _checked(stated: dict[str, Any], path: Path) -> Policy:
    for key in stated:
        if key not in Policy.__struct_fields__:
            near = nearest(key, Policy.__struct_fields__)
            hint = (
                f"did you mean {near!r}?" if near else f"the keys are: {', '.join(Policy.__struct_fields__)}"
            )
            raise PolicyError(f"{path}: unknown key {key!r}; {hint}")
    try:
        policy = msgspec.convert(stated, Policy)
    except msgspec.ValidationError as error:
        raise PolicyError(f"{path}: {error}") from error
    threshold = policy.threshold
    if threshold is not None and not 0 < threshold < 1:
        raise PolicyError(
            f"{path}: threshold is {quote(threshold)}, expected a probability between 0 and 1, both excluded"
        )
    for name, bound in policy.gates.items():
        if not math.isfinite(bound):
            raise PolicyError(f"{path}: gate {name} is {bound}, expected a finite number")
    return policy


def _miss(name: str, bound: float, value: float | None) -> str | None:
    side = "at most" if is_error(name) else "at least"
    if value is None:
        return f"{name} was not measured, the gate asks for {side} {bound:g}"
    held = value <= bound if is_error(name) else value >= bound
    return None if held else f"{name} is {value:.6g}, the gate asks for {side} {bound:g}"
