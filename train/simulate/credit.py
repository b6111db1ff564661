"""Credit: applications for consumer credit, and whether the applicant defaulted within two years.

The process: income is log-normal and grows with age up to 50; amount and duration follow the purpose; the log-odds of a
default rise with the monthly burden (instalment over income), with late payments and with short employment, and fall
with savings. The self-employed often leave their income out, and savings are unknown more often where there are none:
what is missing tells something, too. About one application in five defaults.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

_TYPICAL_EUR = {"car": 9_000, "furniture": 2_500, "education": 5_000, "renovation": 7_000, "holiday": 1_800}
_EMPLOYMENT = ["unemployed", "under 1 year", "1 to 4 years", "over 4 years", "self-employed"]
_RISK = {
    "unemployed": 0.9,
    "under 1 year": 0.5,
    "1 to 4 years": 0.0,
    "over 4 years": -0.5,
    "self-employed": 0.2,
}
_SAVINGS = ["none", "under 1000 EUR", "1000 to 10000 EUR", "over 10000 EUR"]


def draw(rows: int, seed: int) -> pd.DataFrame:
    """Return applications: amounts in EUR, `income` in EUR a month, `duration` in months, and `defaulted` (0, 1)."""
    rng = np.random.default_rng(seed)
    age = rng.gamma(7, 2.6, rows).round().astype("int64") + 18
    income = np.exp(rng.normal(7.5, 0.4, rows) + 0.012 * np.minimum(age - 18, 32))
    purpose = rng.choice(list(_TYPICAL_EUR), rows, p=[0.35, 0.25, 0.12, 0.18, 0.1])
    amount = np.array([_TYPICAL_EUR[name] for name in purpose]) * np.exp(rng.normal(0, 0.5, rows))
    duration = rng.choice([6, 12, 18, 24, 36, 48, 60], rows, p=[0.08, 0.2, 0.14, 0.24, 0.18, 0.1, 0.06])
    employment = rng.choice(_EMPLOYMENT, rows, p=[0.06, 0.16, 0.32, 0.34, 0.12])
    savings = rng.choice(4, rows, p=[0.35, 0.3, 0.25, 0.1])
    late = rng.poisson(0.5, rows)
    burden = amount / duration * (1 + 0.004 * duration) / income
    risk = np.array([_RISK[name] for name in employment])
    log_odds = -2.6 + 5 * burden + 0.6 * late + risk - 0.45 * savings + 0.012 * duration - 0.01 * (age - 35)
    frame = pd.DataFrame(
        {
            "age": age,
            "income": income.round(2),
            "amount": amount.round(-1),
            "duration": duration,
            "purpose": purpose,
            "employment": employment,
            "savings": np.array(_SAVINGS)[savings],
            "late_payments": late,
            "owns_home": rng.random(rows) < 0.2 + 0.006 * (age - 18),
            "defaulted": (rng.random(rows) < 1 / (1 + np.exp(-log_odds))).astype("int64"),
        }
    )
    silent = rng.random(rows) < np.where(frame["employment"] == "self-employed", 0.5, 0.04)
    unknown = rng.random(rows) < np.where(savings == 0, 0.25, 0.05)
    return frame.assign(income=frame["income"].mask(silent), savings=frame["savings"].mask(unknown))
