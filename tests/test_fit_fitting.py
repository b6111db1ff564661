"""From a table to a model in the store."""

from __future__ import annotations

import json

import pytest
import typer
from fitted_tables import customers
from typer.testing import CliRunner

import ekiben
from ekiben import fit, policy
from ekiben.cli.fit import register
from ekiben.errors import TableError
from ekiben.fit.comparison import Comparison
from ekiben.fit.fitting import check_name, save


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Call `ekiben fit` in an empty folder."""
    monkeypatch.chdir(tmp_path)
    app = typer.Typer()
    register(app)

    def call(*words):
        return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)

    return call


@pytest.fixture(scope="module")
def fitted():
    told = []
    found = fit.fit(fit.prepare(customers(), "Churn"), seed=1, quick=True, tell=told.append)
    return found, told


def test_the_best_model_is_kept_and_everything_is_told(fitted):
    found, told = fitted
    assert found.metrics["roc_auc"] > 0.6
    assert found.comparison.best in {entry.name for entry in found.comparison.scores}
    assert found.table in told
    assert found.metrics in told
    assert any(isinstance(thing, Comparison) for thing in told)
    assert len(found.part.X_train) == 240


def test_the_model_runs_in_one_thread(fitted):
    settings = fitted[0].estimator.get_params()
    assert all(value in {1, None} for name, value in settings.items() if name.endswith("n_jobs"))


def test_the_saved_model_answers_as_the_fitted_one(fitted, tmp_path):
    found, _ = fitted
    tag, drafted = save(found, "churn-fit", purpose="Who leaves", domain="telecom", folder=tmp_path)
    model = ekiben.load(tag)
    assert model.signature.output.classes == ("no", "yes")
    assert model.signature.output.positive == "yes"
    assert model.signature.names == tuple(found.table.X.columns)
    assert model.metrics == found.metrics
    assert (
        model.estimator.predict(found.part.X_test).tolist()
        == found.estimator.predict(found.part.X_test).tolist()
    )
    assert drafted == tmp_path / "churn-fit.toml"
    assert save(found, "churn-fit", purpose="x", domain="y", folder=tmp_path)[1] is None


def test_the_signature_knows_what_may_be_missing_and_what_may_be_new():
    frame = customers()
    frame.loc[0, "contract"] = "by the minute"
    table = fit.prepare(frame, "Churn")
    columns = {
        column.name: column for column in fit.signature(table, fit.split(table), units={"fee": "EUR"}).columns
    }
    assert columns["fee"].nullable
    assert columns["fee"].unit == "EUR"
    assert not columns["months"].nullable
    assert columns["contract"].unseen == "pass"
    assert columns["plan [GB]"].unseen == "error"


def test_the_same_seed_gives_the_same_model(fitted):
    again = fit.fit(fit.prepare(customers(), "Churn"), seed=1, quick=True)
    assert again.metrics == fitted[0].metrics
    assert again.tuned.params == fitted[0].tuned.params


def test_a_table_that_says_nothing_is_called_so():
    frame = customers().assign(Churn=["no", "yes"] * 150)
    noise = fit.prepare(frame[["paperless", "Churn"]], "Churn")
    assert "hardly better than guessing" in fit.fit(noise, quick=True).warnings[0]


def test_names_of_models_are_checked_before_anything_is_fitted():
    with pytest.raises(TableError, match="'my-model' would do"):
        check_name("My Model!")


def test_one_command_leads_from_a_csv_file_to_a_stored_model(run, tmp_path):
    customers().to_csv("churn.csv", index=False)
    outcome = run("churn.csv", "--target", "Churn", "--name", "churn-csv", "--drop", "months", "--quick")
    assert outcome.exit_code == 0, outcome.output
    assert "'customerID' is left out" in outcome.output
    assert outcome.output.rstrip().endswith("next: ekiben serve churn-csv")
    assert "months" not in ekiben.load("churn-csv").signature.names
    assert policy.load("churn-csv", tmp_path / "models").gates


def test_a_number_is_predicted_by_time_and_told_as_json(run):
    customers().to_parquet("customers.parquet")
    outcome = run(
        "customers.parquet", "--target", "months", "--name", "months", "--time", "since", "--quick", "--json"
    )  # fmt: skip
    told = json.loads(outcome.output)
    assert told["model"].startswith("months:")
    assert told["task"] == "regression"
    assert set(told["metrics"]) == {"r2", "rmse", "mae"}
    assert told["rows"] == {"learned": 240, "held_out": 60}


def test_help_teaches_with_examples(run):
    text = run("--help").output
    assert "ekiben serve churn" in " ".join(text.split())
