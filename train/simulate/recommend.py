"""Recommend: an item is shown to a customer of a web shop, who takes it or does not.

The process: each customer has a taste (one of four segments prefers some categories) and an interest that fades with
the days since the last visit; the log-odds of taking the item rise with taste, with having looked at it, with the
discount, and with earlier purchases in the same category, and fall with the price beyond the usual basket. Guests have
no history: their past is missing. About one offer in eight is taken.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

_SEGMENTS = ["family", "student", "professional", "senior"]
_CATEGORIES = ["books", "toys", "garden", "electronics", "fashion", "food"]
_TASTE = np.array(
    [
        [0.1, 1.0, 0.2, -0.3, 0.1, 0.4],
        [0.4, -0.6, -1.0, 0.9, 0.6, 0.1],
        [0.2, -0.4, 0.1, 0.6, 0.5, -0.1],
        [0.5, -0.1, 0.9, -0.8, -0.4, 0.3],
    ]
)


def draw(rows: int, seed: int) -> pd.DataFrame:
    """Return offers: prices in EUR, `discount` in percent, `since_visit` in days, and `taken` (0, 1)."""
    rng = np.random.default_rng(seed)
    segment, category = rng.integers(0, 4, rows), rng.integers(0, 6, rows)
    price = np.exp(rng.normal(3.3, 0.8, rows))
    basket = np.exp(rng.normal(3.7, 0.5, rows))
    discount = rng.choice([0, 5, 10, 20, 30], rows, p=[0.5, 0.15, 0.15, 0.12, 0.08])
    since = rng.exponential(20, rows).round().astype("int64")
    bought, viewed = rng.poisson(0.7, rows), rng.random(rows) < 0.3
    guest = rng.random(rows) < 0.18
    log_odds = (
        -3.0 + _TASTE[segment, category] + 1.2 * viewed + 0.05 * discount - 0.02 * np.minimum(since, 60)
    )
    log_odds += np.where(guest, -0.3, 0.35 * np.minimum(bought, 4)) - 0.8 * np.maximum(
        0, np.log(price / basket)
    )
    frame = pd.DataFrame(
        {
            "segment": np.array(_SEGMENTS)[segment],
            "item_category": np.array(_CATEGORIES)[category],
            "item_price": price.round(2),
            "discount": discount,
            "viewed": viewed,
            "since_visit": since,
            "usual_basket": basket.round(2),
            "bought_in_category": bought.astype("float64"),
            "taken": (rng.random(rows) < 1 / (1 + np.exp(-log_odds))).astype("int64"),
        }
    )
    return frame.assign(
        usual_basket=frame["usual_basket"].mask(guest),
        bought_in_category=frame["bought_in_category"].mask(guest),
    )
