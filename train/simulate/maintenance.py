"""Maintenance: jobs of a milling machine, and whether it failed.

The process: the air is around 300 K, the process about 10 K warmer; speed and torque trade off at nearly constant power;
the tool wears by a minute for each minute of work. The machine fails if heat does not leave it (difference of
temperatures under 8.8 K at less than 1 400 rpm), if the power leaves 3.5 to 9 kW, if wear times torque is more than the
quality of the part allows (11, 12 and 13 kNm·min for L, M and H), or if the tool breaks (one time in ten beyond 200
min); and once in a thousand jobs for no reason at all.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

_ALLOWED_NM_MIN = {"L": 11_000, "M": 12_000, "H": 13_000}


def draw(rows: int, seed: int) -> pd.DataFrame:
    """Return jobs, units in the names of the columns, and `Machine failure` (0, 1)."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(list(_ALLOWED_NM_MIN), rows, p=[0.6, 0.3, 0.1])
    air_k = rng.normal(300, 2, rows)
    process_k = air_k + rng.normal(10, 1, rows)
    torque_nm = np.clip(rng.normal(40, 10, rows), 4, 77)
    speed_rpm = 59_000 / np.maximum(torque_nm, 18) + rng.normal(0, 60, rows)
    wear_min = rng.integers(0, 250, rows)
    power_w = torque_nm * speed_rpm * 2 * np.pi / 60
    allowed = np.array([_ALLOWED_NM_MIN[name] for name in kind])
    failed = (
        ((process_k - air_k < 8.8) & (speed_rpm < 1_400))
        | (power_w < 3_500)
        | (power_w > 9_000)
        | (wear_min * torque_nm > allowed)
        | ((wear_min > 200) & (rng.random(rows) < 0.1))
        | (rng.random(rows) < 0.001)
    )
    return pd.DataFrame(
        {
            "Type": kind,
            "Air temperature [K]": air_k.round(1),
            "Process temperature [K]": process_k.round(1),
            "Rotational speed [rpm]": speed_rpm.round().astype("int64"),
            "Torque [Nm]": torque_nm.round(1),
            "Tool wear [min]": wear_min,
            "Machine failure": failed.astype("int64"),
        }
    )
