"""`ekiben models`, `card`, `alias` and `delete`."""

from __future__ import annotations

import datetime as dt
import itertools
import json

import numpy as np
import pytest
import typer
from sklearn.linear_model import LogisticRegression
from typer.testing import CliRunner

import ekiben
from ekiben import store
from ekiben.cli import models
from ekiben.errors import ModelNotFoundError, StoreError

_numbers = itertools.count()
X, Y = np.array([[0.0], [1.0]]), np.array([0, 1])


@pytest.fixture
def name():
    return f"listed-{next(_numbers)}"


@pytest.fixture
def run(monkeypatch):
    """A function that runs a command and returns what it printed; an error of Ekiben is raised."""
    monkeypatch.setenv("COLUMNS", "200")
    app = typer.Typer()
    models.register(app)

    def command(*words, answer=None):
        done = CliRunner().invoke(app, words, input=answer)
        if isinstance(done.exception, ekiben.EkibenError):
            raise done.exception
        return done.output

    return command


def save(name, **stated):
    signature = ekiben.Signature.infer(X, Y, names=["a"])
    return str(ekiben.save(name, LogisticRegression().fit(X, Y), signature=signature, **stated))


def test_models_are_listed(run, name):
    tag = save(name, metrics={"roc_auc": 0.79123})
    store.set_alias(name, "champion")
    table = run("models")
    assert table.splitlines()[0].split() == ["Name", "Version", "Alias", "Age", "Metric", "Size"]
    line = next(line for line in table.splitlines() if line.startswith(name + " "))
    assert line.split()[:6] == [name, tag.partition(":")[2], "champion,", "latest", "now", "roc_auc"]
    assert "0.7912" in line


def test_models_are_listed_for_programs(run, name):
    tag = save(name, metrics={"roc_auc": 0.79})
    entry = next(entry for entry in json.loads(run("models", "--json")) if entry["name"] == name)
    assert f"{entry['name']}:{entry['version']}" == tag
    assert (entry["aliases"], entry["metrics"], entry["kind"]) == (["latest"], {"roc_auc": 0.79}, "label")
    assert entry["size_bytes"] > 0


def test_an_empty_store_says_what_to_do(run, monkeypatch):
    monkeypatch.setattr(store, "models", list)
    assert "ekiben fit FILE" in run("models")


def test_a_card_is_printed_as_markdown(run, name):
    save(name, purpose="Who pays")
    assert run("card", name) == store.card(name)
    with pytest.raises(ModelNotFoundError):
        run("card", name + "x")


def test_an_alias_is_set_and_taken_away(run, name):
    first, second = save(name), save(name)
    assert run("alias", name, "champion") == f"{name}:champion is {second}\n"
    assert run("alias", name, "champion", first.partition(":")[2]) == f"{name}:champion is {first}\n"
    run("alias", name, "champion", "--remove")
    assert store.aliases(name) == {}
    with pytest.raises(StoreError, match="--remove takes no version"):
        run("alias", name, "champion", "v1", "--remove")


def test_a_version_that_misses_a_gate_does_not_become_the_champion(run, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / f"{name}.toml").write_text("[gates]\nroc_auc = 0.8\n")
    good, poor = save(name, metrics={"roc_auc": 0.85}), save(name, metrics={"roc_auc": 0.7})
    with pytest.raises(
        StoreError, match=r"roc_auc is 0.7, the gate asks for at least 0.8; --anyway overrules that"
    ):
        run("alias", name, "champion")
    assert run("alias", name, "trial") == f"{name}:trial is {poor}\n"
    assert run("alias", name, "champion", good.partition(":")[2]) == f"{name}:champion is {good}\n"
    assert run("alias", name, "champion", "--anyway") == f"{name}:champion is {poor}\n"


def test_a_version_is_deleted_once_that_is_confirmed(run, name):
    tag = save(name)
    assert "Aborted" in run("delete", tag, answer="n\n")
    assert store.resolve(name) == tag
    assert f"deleted {tag}" in run("delete", tag, answer="y\n")
    with pytest.raises(ModelNotFoundError):
        store.resolve(name)


def test_nobody_is_asked_with_yes(run, name):
    assert run("delete", save(name), "--yes").startswith("deleted")


def test_a_name_alone_is_not_deleted(run, name):
    save(name)
    with pytest.raises(StoreError, match="is not an exact version"):
        run("delete", name, "--yes")


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(5, "now"), (90, "1 min"), (7200, "2 h"), (3 * 86_400, "3 d"), (800 * 86_400, "2 y")],
)
def test_an_age_is_told_in_its_largest_unit(seconds, expected):
    now = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
    assert models.age((now - dt.timedelta(seconds=seconds)).isoformat(), now) == expected
