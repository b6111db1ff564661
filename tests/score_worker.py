"""Scores a file in a process of its own, so that it can be killed: INPUT OUTPUT CHUNK_ROWS DELAY_S."""

import sys
import time
from pathlib import Path

from score_tables import FormulaEngine

from ekiben.score import Job, LocalScorer, Options


class SlowEngine(FormulaEngine):
    """Takes its time for each part."""

    delay_s = float(sys.argv[4])

    def predict_frame(self, frame, fields=None):
        time.sleep(self.delay_s)
        return super().predict_frame(frame, fields)


if __name__ == "__main__":
    scorer = LocalScorer("credit:v1", SlowEngine(), None, {"threshold": None}, in_flight=2)
    options = Options(resume=True, chunk_rows=int(sys.argv[3]))
    Job(scorer, Path(sys.argv[1]), Path(sys.argv[2]), options).run()
