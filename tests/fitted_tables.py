"""Tables to learn from, drawn by the tests of `ekiben.fit`."""

from __future__ import annotations

import numpy as np
import pandas as pd


def customers(rows: int = 300, seed: int = 0) -> pd.DataFrame:
    """Draw customers of all kinds of columns, with missing values, and whether they left (`no`, `yes`)."""
    rng = np.random.default_rng(seed)
    months = rng.integers(1, 72, rows)
    fee = rng.normal(60, 20, rows).round(2)
    contract = rng.choice(["monthly", "yearly"], rows)
    odds = -1.5 * (contract == "yearly") - 0.05 * months + 0.04 * fee
    return pd.DataFrame(
        {
            "customerID": [f"C{number}" for number in rng.permutation(rows)],
            "months": months,
            "fee": pd.Series(fee).mask(rng.random(rows) < 0.1),
            "contract": contract,
            "plan [GB]": pd.Series(rng.choice(["1", "5", "unlimited"], rows)).mask(rng.random(rows) < 0.1),
            "paperless": rng.random(rows) < 0.5,
            "since": pd.Timestamp("2026-11-01")
            - pd.to_timedelta(30 * months + rng.integers(0, 30, rows), unit="D"),
            "Churn": np.where(rng.random(rows) < 1 / (1 + np.exp(-odds)), "yes", "no"),
        }
    )
