"""Neuron: examples that a network of three inputs, two hidden units and one output answers.

The process: three stimuli, each uniform between 0 and 5 (mV). Two hidden units look at neighbouring pairs,

    a1 = sigmoid(3·(feature1 + feature2 - 3)),  a2 = sigmoid(3·(feature2 + feature3 - 4)),

and the cell fires with the probability sigmoid(8·(a1 + a2) - 12): surely if both are on, hardly ever if one is.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

FEATURES = ["feature1", "feature2", "feature3"]


def draw(rows: int, seed: int) -> pd.DataFrame:
    """Return stimuli (float64, mV) and whether the cell fired (`label`, 0 or 1)."""
    rng = np.random.default_rng(seed)
    stimuli = pd.DataFrame(rng.uniform(0, 5, (rows, 3)).round(2), columns=FEATURES)
    left = _sigmoid(3 * (stimuli["feature1"] + stimuli["feature2"] - 3))
    right = _sigmoid(3 * (stimuli["feature2"] + stimuli["feature3"] - 4))
    fires = rng.random(rows) < _sigmoid(8 * (left + right) - 12)
    return stimuli.assign(label=fires.astype("int64"))


def _sigmoid(drive: pd.Series) -> pd.Series:
    share: pd.Series = 1 / (1 + np.exp(-drive))
    return share
