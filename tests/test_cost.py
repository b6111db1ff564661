import pytest
from hypothesis import given
from hypothesis import strategies as st

from ekiben.cost import Cost


@given(
    st.floats(0, 1), st.floats(1e-6, 1), st.lists(st.integers(1, 1000), min_size=2, max_size=20, unique=True)
)
def test_a_straight_line_is_learned_exactly(per_call_s, per_row_s, sizes):
    cost = Cost()
    for rows in sizes:
        cost.observe(rows, per_call_s + per_row_s * rows)
    for rows in sizes:
        expected = per_call_s + per_row_s * rows
        assert abs(cost.seconds(rows) - expected) <= 1e-6 + 1e-3 * expected


def test_calls_of_one_size_say_nothing_about_a_row():
    cost = Cost()
    for _ in range(5):
        cost.observe(1, 0.004)
    assert cost.seconds(1) == cost.seconds(100) == pytest.approx(0.004)
    assert cost.rows_within(0.001) > 1000


def test_there_is_always_room_for_one_row():
    cost = Cost()
    cost.observe(1, 1.0)
    cost.observe(2, 2.0)
    assert cost.rows_within(0.001) == 1


def test_a_call_that_is_slow_by_itself_is_not_cut_into_single_rows():
    cost = Cost()
    for rows in (1, 10, 100):
        cost.observe(rows, 0.030 + 0.0001 * rows)
    assert cost.rows_within(0.020) == pytest.approx(300, abs=2)


def test_the_estimate_follows_a_change():
    cost = Cost()
    for _ in range(500):
        cost.observe(1, 0.001)
    for _ in range(500):
        cost.observe(1, 0.010)
    assert 0.009 < cost.seconds(1) <= 0.0101


@given(st.lists(st.tuples(st.integers(1, 10_000), st.floats(0, 10)), min_size=1, max_size=50))
def test_an_estimate_is_never_negative(seen):
    cost = Cost()
    for rows, seconds in seen:
        cost.observe(rows, seconds)
    assert cost.per_call_s >= 0
    assert cost.per_row_s >= 0
    assert cost.rows_within(0.02) >= 1
