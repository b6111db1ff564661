"""What a timestamp says, as numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from ekiben.fit import CalendarFeatures


@pytest.fixture
def visits():
    at = pd.Series(pd.to_datetime(["2026-11-22 06:30", "2026-12-23 18:00", None]), dtype="datetime64[us]")
    return pd.DataFrame({"at": at, "day": at.dt.normalize()})


def test_the_parts_that_vary_are_given_and_named(visits):
    features = CalendarFeatures().fit(visits)
    names = features.get_feature_names_out().tolist()
    assert names == [
        "at day", "at month", "at monthday", "at weekday", "at hour",
        "day day", "day month", "day monthday", "day weekday",
    ]  # fmt: skip
    values = features.transform(visits)
    assert values.dtype == np.float64
    assert values[0].tolist() == [20779, 11, 22, 6, 6.5, 20779, 11, 22, 6]
    assert np.isnan(values[2]).all()


def test_one_row_gives_what_many_rows_give(visits):
    features = CalendarFeatures().fit(visits)
    rows = np.vstack([features.transform(visits.iloc[[row]]) for row in range(3)])
    np.testing.assert_array_equal(rows, features.transform(visits))


def test_where_timestamps_have_a_zone_its_clock_counts():
    at = pd.Series(pd.to_datetime(["2026-07-01T22:30Z", "2026-07-02T10:00Z"])).dt.tz_convert("Europe/Berlin")
    features = CalendarFeatures().fit(pd.DataFrame({"at": at}))
    assert features.transform(pd.DataFrame({"at": at})).tolist() == [[0.5], [12.0]]


def test_it_can_be_cloned_and_stored_without_pickle(visits):
    features = clone(CalendarFeatures()).fit(visits)
    stored = skops.io.dumps(features)
    read = skops.io.loads(stored, trusted=["ekiben.fit.calendar.CalendarFeatures"])
    np.testing.assert_array_equal(read.transform(visits), features.transform(visits))


def test_it_has_to_be_fitted_first(visits):
    with pytest.raises(NotFittedError):
        CalendarFeatures().transform(visits)
