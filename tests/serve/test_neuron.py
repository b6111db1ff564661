"""The network of the article: what the server answers follows from the stored weights, by hand."""

import subprocess
import sys
from pathlib import Path

import httpx
import numpy as np
import pytest
from serving import adhoc, environment

from ekiben import artifact

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def neuron(tmp_path_factory):
    """The trained model, and a client of a server of it."""
    home = tmp_path_factory.mktemp("neuron")
    command = [sys.executable, "train/neuron.py", "--quick"]
    subprocess.run(command, cwd=ROOT, env=environment(home), check=True, timeout=120, capture_output=True)
    folder = home / "models" / "neuron"
    running = adhoc(home, "neuron")
    running.wait()
    with httpx.Client(base_url=running.url) as client:
        yield artifact.read(folder / (folder / "latest").read_text().strip()), client
    running.stop()


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def test_the_call_of_the_article_answers_as_written(neuron):
    _, client = neuron
    answer = client.post("/predict", json={"feature1": 2, "feature2": 3, "feature3": 4})
    assert (answer.status_code, answer.text) == (200, '{"prediction":1}')


def test_the_answers_follow_from_the_weights(neuron):
    model, client = neuron
    (W, v), (b, c) = model.estimator.coefs_, model.estimator.intercepts_
    assert (W.shape, v.shape) == ((3, 2), (2, 1))
    rows = np.vstack([[2.0, 3.0, 4.0], np.random.default_rng(0).uniform(0, 5, (99, 3))])
    records = [dict(zip(("feature1", "feature2", "feature3"), row, strict=True)) for row in rows.tolist()]
    answers = client.post("/predict?fields=prediction,probability", json=records).json()
    for x, answer in zip(rows, answers, strict=True):
        a1 = sigmoid(W[:, 0] @ x + b[0])
        a2 = sigmoid(W[:, 1] @ x + b[1])
        y = sigmoid(v[0, 0] * a1 + v[1, 0] * a2 + c[0])
        assert answer["probability"] == pytest.approx(y, abs=1e-12)
        assert answer["prediction"] == int(y > 0.5)
