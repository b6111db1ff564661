"""Columns that know the answer are named."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ekiben import fit
from ekiben.fit.leak import as_flag

ROWS = 3_000


@pytest.fixture
def failures():
    """Jobs of a machine, of which some fail: by heat, or for another reason."""
    rng = np.random.default_rng(0)
    heat = rng.random(ROWS) < 0.02
    failed = heat | (rng.random(ROWS) < 0.03)
    return pd.DataFrame(
        {
            "speed": rng.normal(size=ROWS) + failed,
            "count": rng.poisson(1 + 4 * failed),
            "HDF": heat.astype(int),
            "failed": failed.astype(int),
        }
    )


def test_a_flag_that_always_goes_with_the_rare_class_is_named_with_what_to_drop(failures):
    warnings = fit.prepare(failures, "failed").warnings
    assert len(warnings) == 2
    assert warnings[0].startswith("whenever 'HDF' is 1, 'failed' is 1")
    assert warnings[1].endswith("use --drop HDF")


def test_a_column_that_predicts_alone_is_named(failures):
    answer = np.where(failures["failed"] == 1, "scrapped", "shipped")
    warnings = fit.prepare(failures.drop(columns="HDF").assign(outcome=answer), "failed").warnings
    assert warnings[0].startswith("'outcome' alone predicts 'failed' almost perfectly (ROC AUC 1.000)")


def test_numbers_that_add_up_to_the_target_are_named():
    rng = np.random.default_rng(0)
    parts = pd.DataFrame(
        {
            "casual": rng.poisson(30, ROWS),
            "registered": rng.poisson(90, ROWS),
            "hour": rng.integers(0, 24, ROWS),
        }
    )
    table = fit.prepare(parts.assign(cnt=parts["casual"] + parts["registered"]), "cnt")
    assert table.warnings[0] == "'cnt' is a plain sum of 'casual' and 'registered'"
    assert table.warnings[1].endswith("--drop casual,registered")


def test_an_honest_table_raises_no_alarm(failures):
    assert fit.prepare(failures, "failed", drop=["HDF"]).warnings == ()
    rng = np.random.default_rng(0)
    when = pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(ROWS), unit="h")
    honest = pd.DataFrame({"x": rng.normal(size=ROWS), "when": when, "kind": rng.choice(["a", "b"], ROWS)})
    assert fit.prepare(honest.assign(y=honest["x"] + rng.normal(size=ROWS)), "y").warnings == ()


def test_the_flag_can_be_pasted_into_a_shell():
    assert as_flag(["Product ID", "a,b"]) == "'Product ID,\"a,b\"'"
