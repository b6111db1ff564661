"""The client and the scoring of files, against the real server."""

import asyncio
import json
import subprocess
import sys

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import serving

import ekiben
from ekiben.errors import InputError, ModelNotFoundError


@pytest.fixture
def client(server):
    with ekiben.Client(server.url) as client:
        yield client


def rows_of(client, name, count):
    """The typical row of a model, in variations that all fit."""
    example = client.model(name)["example"]
    return [
        {
            key: value + number % 3 if isinstance(value, int) and not isinstance(value, bool) else value
            for key, value in example.items()
        }
        for number in range(count)
    ]


@pytest.mark.parametrize("name", serving.MODELS)
def test_all_ways_of_asking_give_the_same_answers(client, server, name):
    rows = rows_of(client, name, 3000)
    one = client.predict(name, rows[0])
    many = client.predict_many(name, rows)
    unchecked = client.predict_many(name, rows, check=False)
    assert one == many[0] == unchecked[0]
    assert many == unchecked
    assert one.model == f"{name}:{client.model(name)['version']}"
    assert len({answer.id for answer in many}) == len(rows)
    for frame in (pd.DataFrame(rows), pl.DataFrame(rows), pa.Table.from_pylist(rows)):
        scored = client.score(name, frame)
        columns = (
            scored.to_pydict()
            if isinstance(scored, pa.Table)
            else {key: list(scored[key]) for key in scored.columns}
        )
        assert columns["prediction"] == [answer["prediction"] for answer in many]

    async def ask():
        async with ekiben.AsyncClient(server.url) as other:
            return await other.predict_many(name, rows)

    assert asyncio.run(ask()) == many


def test_what_is_served_is_told(client):
    assert [model["name"] for model in client.models()] == list(serving.MODELS)
    assert client.signature("loan").names == ("amount [EUR]", "years", "purpose", "savings", "guarantor")


def test_errors_of_the_server_arrive_as_themselves(client):
    row = client.model("loan")["example"]
    with pytest.raises(ModelNotFoundError, match="did you mean 'loan'") as caught:
        client.predict("laon", row)
    assert caught.value.nearest == "loan"
    with pytest.raises(ModelNotFoundError):
        client.predict("laon", row, check=False)
    with pytest.raises(InputError) as here:
        client.predict("loan", {**row, "purpose": "hause"})
    with pytest.raises(InputError) as there:
        client.predict("loan", {**row, "purpose": "hause"}, check=False)
    assert str(here.value) == str(there.value)
    assert [problem.nearest for problem in there.value.problems] == ["house"]
    with pytest.raises(InputError, match="probabilties"):
        client.predict("loan", row, fields=["probabilties"])


def test_rows_are_numbered_as_the_caller_does(client):
    rows = rows_of(client, "loan", 4500)
    rows[4321]["years"] = "ten"
    for check in (True, False):
        with pytest.raises(InputError, match=r"^row 4321: column 'years'"):
            client.predict_many("loan", rows, check=check)


@pytest.mark.parametrize("name", ["loan", "grape"])
def test_a_file_scored_through_the_server_is_the_one_scored_here(client, server, store_home, tmp_path, name):
    rows = rows_of(client, name, 2500)
    lines = [json.dumps({"id": number, **row}) for number, row in enumerate(rows)]
    lines[1000] = "{}"
    (tmp_path / "in.ndjson").write_text("\n".join(lines))
    for target, more in (("here.csv", []), ("there.csv", ["--url", server.url])):
        command = [sys.executable, "-m", "ekiben", "score", name, "in.ndjson", target, *more]
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env=serving.environment(store_home),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 3, done.stderr
    assert (tmp_path / "here.csv").read_bytes() == (tmp_path / "there.csv").read_bytes()
    assert (tmp_path / "here.csv.errors.csv").read_bytes() == (tmp_path / "there.csv.errors.csv").read_bytes()
