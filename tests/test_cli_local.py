"""A model is loaded by a command as a server loads it."""

from __future__ import annotations

import subprocess
import sys
import textwrap

SAVE = """
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import ekiben
from feats import Adder

X, y = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0]}), pd.Series([0, 0, 1, 1], name="y")
model = make_pipeline(Adder(), LogisticRegression()).fit(X, y)
ekiben.save("local-adder", model, signature=ekiben.Signature.infer(X, y), trust=["feats.Adder"])
"""
FEATS = """
from sklearn.base import BaseEstimator, TransformerMixin

class Adder(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        return X + 1
"""
PREDICT = "from ekiben.cli.app import app; app()"


def test_modules_of_the_working_directory_are_found_as_when_serving(tmp_path):
    (tmp_path / "feats.py").write_text(textwrap.dedent(FEATS))
    (tmp_path / "train.py").write_text(textwrap.dedent(SAVE))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "ekiben-command.py").write_text(
        PREDICT
    )  # so that no other folder is on the path
    subprocess.run([sys.executable, "train.py"], cwd=tmp_path, check=True)
    command = [sys.executable, "elsewhere/ekiben-command.py", "predict", "local-adder", '{"a": 3}']
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert '"prediction":1' in done.stdout
