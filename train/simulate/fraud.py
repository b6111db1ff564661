"""Fraud: card payments, about eight in a thousand of them fraudulent.

The process: honest payments follow the card holder: by day, near home, at intervals of hours, amounts log-normal around
25 EUR. Two kinds of fraud: a stolen card (a burst of payments, far from home, electronics and jewellery, at night) and
stolen numbers (online, first a small amount to try, then a large one, from a country that the card was never used in).
One fraud in six looks like an honest payment in everything: no model finds it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

_MERCHANTS = ["groceries", "fuel", "restaurant", "online", "travel", "electronics", "jewellery"]
_HONEST = [0.34, 0.12, 0.2, 0.22, 0.06, 0.05, 0.01]
_STOLEN_CARD = [0.05, 0.15, 0.05, 0.05, 0.1, 0.4, 0.2]
_STOLEN_NUMBERS = [0.02, 0.0, 0.03, 0.75, 0.15, 0.05, 0.0]


def draw(rows: int, seed: int) -> pd.DataFrame:
    """Return payments: `amount` in EUR, `distance_home` in km, `since_last` in min, and `fraud` (0, 1)."""
    rng = np.random.default_rng(seed)
    fraud = rng.random(rows) < 0.008
    looks = np.where(fraud & (rng.random(rows) > 1 / 6), rng.integers(1, 3, rows), 0)
    card, numbers = looks == 1, looks == 2
    merchant = np.select(
        [card, numbers],
        [rng.choice(_MERCHANTS, rows, p=_STOLEN_CARD), rng.choice(_MERCHANTS, rows, p=_STOLEN_NUMBERS)],
        rng.choice(_MERCHANTS, rows, p=_HONEST),
    )
    amount = np.exp(rng.normal(3.2, 1.0, rows))
    amount = np.where(card, np.exp(rng.normal(5.3, 0.7, rows)), amount)
    amount = np.where(numbers & (rng.random(rows) < 0.6), np.exp(rng.normal(5.8, 0.6, rows)), amount)
    by_day, by_night = rng.normal(14, 4, rows) % 24, rng.normal(2, 3, rows) % 24
    online = (merchant == "online") | numbers
    distance = np.where(card, rng.gamma(2, 60, rows), rng.gamma(0.8, 12, rows)).round(1)
    return pd.DataFrame(
        {
            "amount": amount.round(2),
            "merchant": merchant,
            "hour": np.where(card, by_night, by_day).astype("int64"),
            "distance_home": np.where(online, np.nan, distance),  # nobody stands anywhere
            "since_last": np.where(looks > 0, rng.exponential(12, rows), rng.exponential(600, rows)).round(1),
            "payments_24h": rng.poisson(np.where(looks > 0, 5.0, 1.6)),
            "known_country": rng.random(rows) < np.where(numbers, 0.25, 0.97),
            "card_age": rng.integers(1, 1_500, rows),
            "fraud": fraud.astype("int64"),
        }
    )
