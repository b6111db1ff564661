"""What people decide about a model, and what they are told when it cannot be."""

from __future__ import annotations

import math

import msgspec
import pytest

from ekiben import policy
from ekiben.errors import PolicyError
from ekiben.policy import Policy

CREDIT = """
purpose   = "Probability that an applicant defaults"
domain    = "finance"
threshold = 0.35
positive  = "bad"
[gates]
roc_auc = 0.74
log_loss = 1
"""


@pytest.fixture
def write(tmp_path):
    def make(text):
        (tmp_path / "credit.toml").write_text(text)
        return tmp_path

    return make


def test_a_file_is_read(write):
    assert policy.load("credit", write(CREDIT)) == Policy(
        purpose="Probability that an applicant defaults",
        domain="finance",
        threshold=0.35,
        positive="bad",
        gates={"roc_auc": 0.74, "log_loss": 1.0},
    )


def test_without_a_file_there_are_defaults(tmp_path):
    assert policy.load("credit", tmp_path) == Policy()
    assert policy.load("credit", tmp_path / "nowhere") == Policy()


def test_the_folder_is_models_of_the_project(write, monkeypatch):
    folder = write(CREDIT)
    (folder / "models").mkdir()
    (folder / "credit.toml").rename(folder / "models" / "credit.toml")
    monkeypatch.chdir(folder)
    assert policy.load("credit").threshold == 0.35


def test_a_policy_can_be_sent(write):
    assert msgspec.json.decode(msgspec.json.encode(policy.load("credit", write(CREDIT))))["positive"] == "bad"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("treshold = 0.3", r"credit\.toml: unknown key 'treshold'; did you mean 'threshold'\?"),
        ("xyz = 1", r"unknown key 'xyz'; the keys are: purpose, domain, threshold, positive, gates"),
        ("threshold = 1.0", "threshold is 1.0, expected a probability between 0 and 1"),
        ("threshold = 0", "threshold is 0"),
        ("threshold = nan", "threshold is"),
        ('threshold = "half"', r"Expected `float \| null`, got `str` - at `\$\.threshold`"),
        ("purpose = 5", r"Expected `str`, got `int` - at `\$\.purpose`"),
        ('[gates]\nroc_auc = "high"', "Expected `float`"),
        ("[gates]\nroc_auc = inf", "gate roc_auc is inf, expected a finite number"),
        ("purpose =", r"credit\.toml: not valid TOML"),
    ],
)
def test_what_cannot_be_is_told(write, text, message):
    with pytest.raises(PolicyError, match=message):
        policy.load("credit", write(text))


def test_what_is_no_text_is_told(tmp_path):
    (tmp_path / "credit.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(PolicyError, match="cannot be read"):
        policy.load("credit", tmp_path)


@pytest.mark.parametrize(
    "name",
    ["log_loss", "brier", "brier_score", "mae", "RMSE", "mape", "valid_rmse", "mean_squared_error", "hamming_loss",
     "mean_poisson_deviance"],
)  # fmt: skip
def test_errors_are_better_when_they_are_small(name):
    assert policy.is_error(name)
    gated = Policy(gates={name: 0.5})
    assert gated.missed({name: 0.5}) == []
    assert gated.missed({name: 0.6}) == [f"{name} is 0.6, the gate asks for at most 0.5"]


@pytest.mark.parametrize(
    "name", ["roc_auc", "accuracy", "r2", "f1", "recall", "neg_log_loss", "average_precision"]
)
def test_all_other_metrics_are_better_when_they_are_large(name):
    assert not policy.is_error(name)
    gated = Policy(gates={name: 0.5})
    assert gated.missed({name: 0.5}) == []
    assert gated.missed({name: 0.4}) == [f"{name} is 0.4, the gate asks for at least 0.5"]


def test_a_metric_that_was_not_measured_misses_its_gate():
    gated = Policy(gates={"roc_auc": 0.74, "mae": 2})
    assert gated.missed({}) == [
        "roc_auc was not measured, the gate asks for at least 0.74",
        "mae was not measured, the gate asks for at most 2",
    ]


@pytest.mark.parametrize("name", ["roc_auc", "mae"])
def test_what_is_not_a_number_misses_its_gate(name):
    assert len(Policy(gates={name: 0.5}).missed({name: math.nan})) == 1
