"""Traffic: vehicles in an hour past a counter on a road into a city.

The process: Poisson counts around a rate with two peaks on working days (8 and 17 o'clock) and one broad hump on other
days, 3% more traffic a year, less in heavy rain and snow, more on warm days off, and 40% less while one of the two lanes
is closed. The thermometer fails now and then: its value is missing.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

_WEATHER = ["clear", "clouds", "rain", "snow"]
_LESS = np.array([1.0, 0.98, 0.9, 0.65])


def draw(rows: int, seed: int) -> pd.DataFrame:
    """Return hours: `temperature` in °C, `rain` in mm/h, `lanes` open, and `flow` in vehicles an hour."""
    rng = np.random.default_rng(seed)
    start = pd.Timestamp("2024-01-01")
    time = pd.Series(
        start + pd.to_timedelta(np.sort(rng.choice(2 * 8_760, rows, replace=rows > 2 * 8_760)), unit="h")
    )
    hour, years = time.dt.hour, (time - start) / pd.Timedelta(days=365.25)
    holiday = time.dt.strftime("%m-%d").isin(["01-01", "05-01", "10-03", "12-25", "12-26"])
    free = holiday | (time.dt.day_of_week >= 5)
    temperature = (
        10 - 9 * np.cos(2 * np.pi * years) - 3 * np.cos(2 * np.pi * (hour - 3) / 24) + rng.normal(0, 3, rows)
    )
    weather = rng.choice(3, rows, p=[0.5, 0.3, 0.2])
    weather = np.where((weather == 2) & (temperature < 0.5), 3, weather)
    rain = np.where(weather >= 2, rng.gamma(1.2, 1.5, rows), 0.0)
    lanes = np.where(rng.random(rows) < 0.05, 1, 2)
    peaks = 60 + 900 * _bump(hour, 8, 1.5) + 1_000 * _bump(hour, 17, 2.2) + 450 * _bump(hour, 13, 4)
    hump = 50 + (560 + 6 * np.clip(temperature, 0, 25)) * _bump(hour, 14, 4.5)
    rate = (
        np.where(free, hump, peaks)
        * 1.03**years
        * _LESS[weather]
        * np.exp(-0.03 * rain)
        * np.where(lanes == 1, 0.6, 1)
    )
    return pd.DataFrame(
        {
            "time": time,
            "weather": np.array(_WEATHER)[weather],
            "temperature": temperature.round(1).mask(rng.random(rows) < 0.03),
            "rain": rain.round(1),
            "holiday": holiday,
            "lanes": lanes,
            "flow": rng.poisson(rate * np.exp(rng.normal(0, 0.08, rows))),
        }
    )


def _bump(hour: pd.Series, centre: float, width_h: float) -> pd.Series:
    height: pd.Series = np.exp(-((hour - centre) ** 2) / (2 * width_h**2))
    return height
