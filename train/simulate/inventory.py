"""Inventory: how many units of an item a shop sells in a week.

The process: sales are Poisson. Their rate is the usual sales of the item and the size of the shop, times the season
(drinks and ice cream in summer, soup in winter, by the warmth of the week), times 1.6 in a promotion, times
(price / usual price) to the power of -1.8. The last week's sales come from the same process one week earlier; a shop
that did not report leaves them missing.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

_UNITS = {"ice cream": 60, "soda": 110, "soup": 45, "coffee": 70, "pasta": 90}
_EUR = {"ice cream": 3.2, "soda": 1.1, "soup": 2.4, "coffee": 6.5, "pasta": 1.3}
_WARMTH = {"ice cream": 0.09, "soda": 0.04, "soup": -0.06, "coffee": -0.01, "pasta": 0.0}
_SHOPS = {"station": 1.4, "old town": 0.8, "harbour": 1.0, "university": 1.2, "suburb": 0.6}


def draw(rows: int, seed: int) -> pd.DataFrame:
    """Return weeks of an item in a shop: `price` in EUR, `temperature` in °C, and `units` sold in the week."""
    rng = np.random.default_rng(seed)
    week = rng.integers(0, 156, rows)
    shop, item = rng.choice(list(_SHOPS), rows), rng.choice(list(_UNITS), rows)
    temperature = 11 - 9 * np.cos(2 * np.pi * (week - 3) / 52.18) + rng.normal(0, 2.5, rows)
    promotion = rng.random(rows) < 0.15
    usual = np.array([_EUR[name] for name in item])
    ratio = np.clip(rng.normal(1, 0.06, rows), 0.8, 1.2) * np.where(promotion, 0.85, 1)
    rate = np.array([_UNITS[name] for name in item]) * np.array([_SHOPS[name] for name in shop])
    rate = rate * np.exp(np.array([_WARMTH[name] for name in item]) * (temperature - 11))
    before = rng.poisson(rate).astype("float64")
    return pd.DataFrame(
        {
            "week": pd.Timestamp("2023-01-02") + pd.to_timedelta(7 * week, unit="D"),
            "shop": shop,
            "item": item,
            "price": (usual * ratio).round(2),
            "promotion": promotion,
            "temperature": temperature.round(1),
            "units_last_week": np.where(rng.random(rows) < 0.07, np.nan, before),
            "units": rng.poisson(rate * np.where(promotion, 1.6, 1) * ratio**-1.8),
        }
    )
