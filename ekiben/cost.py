"""Cost: what a call of an engine takes, learned from the calls that were made."""

from __future__ import annotations

DECAY = 0.98
"""Weight that an observation keeps when the next one arrives: the last 50 or so count."""

MAX_ROWS = 1_000_000


class Cost:
    """Estimates the seconds of a call from its rows: `seconds = per_call + per_row * rows`.

    An exponentially weighted least-squares line through (rows, seconds), with neither term below zero. Until calls of
    different sizes were seen, the whole cost counts as the call's.

    >>> cost = Cost()
    >>> for rows in (1, 10, 100):
    ...     cost.observe(rows, 0.001 + 0.0001 * rows)
    >>> round(cost.seconds(50), 6)
    0.006
    >>> cost.rows_within(0.011)
    100
    """

    def __init__(self) -> None:
        self.per_call_s = 0.0
        self.per_row_s = 0.0
        self.known = False
        self._weight = self._rows = self._seconds = self._rows_squared = self._product = 0.0

    def observe(self, rows: int, seconds: float) -> None:
        """Learn that a call with `rows` rows took `seconds` seconds."""
        self._weight = self._weight * DECAY + 1
        self._rows = self._rows * DECAY + rows
        self._seconds = self._seconds * DECAY + seconds
        self._rows_squared = self._rows_squared * DECAY + rows * rows
        self._product = self._product * DECAY + rows * seconds
        self.known = True
        spread = self._weight * self._rows_squared - self._rows * self._rows
        slope = 0.0
        if spread > 1e-9 * self._weight * self._rows_squared:
            slope = (self._weight * self._product - self._rows * self._seconds) / spread
        self.per_row_s = max(slope, 0.0)
        self.per_call_s = max((self._seconds - self.per_row_s * self._rows) / self._weight, 0.0)
        if self.per_call_s == 0.0 and self._rows_squared:
            self.per_row_s = self._product / self._rows_squared  # the line through the origin

    def seconds(self, rows: int) -> float:
        """Return the expected seconds of a call with `rows` rows; 0 while nothing is known."""
        return self.per_call_s + self.per_row_s * rows

    def rows_within(self, limit_s: float) -> int:
        """Return how many rows a call may have to take about `limit_s` seconds; at least 1.

        Where the call itself takes most of that, or more, cutting it into small ones would only make it longer: so the
        rows may always take as long as the call does without them.
        """
        if self.per_row_s <= 0.0:
            return MAX_ROWS
        for_rows_s = max(limit_s - self.per_call_s, self.per_call_s)
        return max(1, min(MAX_ROWS, round(for_rows_s / self.per_row_s)))
