"""The first models/NAME.toml."""

from __future__ import annotations

from ekiben import policy
from ekiben.fit import draft

METRICS = {"roc_auc": 0.83, "accuracy": 0.7}


def test_a_draft_can_be_read_as_a_policy_that_the_model_meets(tmp_path):
    path = draft.write(
        tmp_path / "models", "churn", purpose='Who "leaves"', domain="telecom", metrics=METRICS
    )
    assert path == tmp_path / "models" / "churn.toml"
    decided = policy.load("churn", tmp_path / "models")
    assert (decided.purpose, decided.domain, decided.threshold) == ('Who "leaves"', "telecom", None)
    assert decided.gates == {"roc_auc": 0.79}
    assert decided.missed(METRICS) == []


def test_what_a_person_wrote_is_not_touched(tmp_path):
    mine = tmp_path / "churn.toml"
    mine.write_text('purpose = "mine"\n')
    assert draft.write(tmp_path, "churn", purpose="other", domain="x", metrics=METRICS) is None
    assert mine.read_text() == 'purpose = "mine"\n'
