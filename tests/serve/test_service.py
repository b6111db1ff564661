"""The service as people run it: `bentoml serve`, real models, real sockets."""

import contextlib
import gc
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import bentoml
import httpx
import numpy as np
import pandas as pd
import pytest
from serving import MODELS, Server, adhoc, environment, free_port

import ekiben
from ekiben import artifact

ROW = {"amount [EUR]": 2500, "years": 4, "purpose": "car", "savings": None, "guarantor": False}


@pytest.fixture(scope="module")
def models(store_home):
    return {name: artifact.read(newest(store_home, name)) for name in MODELS}


@pytest.fixture(scope="module")
def client(server):
    with httpx.Client(base_url=server.url, timeout=30) as made:
        yield made


SHOP = """
import bentoml
import ekiben


class Stamp:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        async def stamped(message):
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-stamp", b"1")]
            await send(message)

        await self.app(scope, receive, stamped)


class WithoutDoor(ekiben.Service):
    def open_door(self, app, limits):
        return app


class Base:
    gate = ekiben.Runner("gate")
    loan = ekiben.Runner("loan")


@bentoml.service(service_class=ekiben.Service, workers=1)
class Shop(Base):
    loan = ekiben.Runner("loan", timeout_s=5)

    @bentoml.api
    async def double(self, number: int) -> int:
        return 2 * number

    @bentoml.api
    async def ask(self, left: float, right: float) -> dict:
        return await self.gate.predict({"left": left, "right": right})

    @bentoml.api
    def ask_in_a_thread(self, left: float, right: float) -> dict:
        return self.gate.predict_sync({"left": left, "right": right})

    @bentoml.api
    async def ask_wrong(self, ctx: bentoml.Context) -> dict:
        return await self.gate.predict({"left": "x"})

    @bentoml.api(route="/predict/loan")
    async def mine(self, number: int) -> int:
        return number


@bentoml.service(service_class=WithoutDoor, workers=1)
class Bare(Base):
    pass


Shop.add_asgi_middleware(Stamp)
Bare.add_asgi_middleware(Stamp)
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    (folder / "service.py").write_text(SHOP)
    return folder


@pytest.fixture(scope="module")
def shop(store_home, project):
    """Two models behind a middleware, with methods of the service itself."""
    yield from served(store_home, "service:Shop", project)


@pytest.fixture(scope="module")
def bare(store_home, project):
    """The same models without the front door: BentoML's own path answers."""
    yield from served(store_home, "service:Bare", project)


def served(home, target, folder):
    running = Server(home, target, folder=folder)
    running.wait()
    with httpx.Client(base_url=running.url, timeout=30) as made:
        yield made
    running.stop()


@contextlib.contextmanager
def stock_client(url):
    """BentoML's client; it leaves a temporary folder to the garbage collector, which warns of that."""
    made = bentoml.SyncHTTPClient(url)
    with made:
        yield made
    del made
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def newest(home, name):
    folder = Path(home) / "models" / name
    return folder / (folder / "latest").read_text().strip()


def rows_of(model, count=200, seed=0):
    """Rows as the sample of the model has them, JSON-ready."""
    frame = pd.read_parquet(newest_of(model)).loc[:, list(model.signature.names)]
    chosen = frame.sample(count, replace=True, random_state=seed).reset_index(drop=True)
    records = [
        {name: None if value is None or value != value else value for name, value in record.items()}  # noqa: PLR0124 - NaN
        for record in chosen.to_dict("records")
    ]
    return chosen, records


def newest_of(model):
    return Path(os.environ["EKIBEN_TEST_STORE"]) / "models" / model.name / model.version / "reference.parquet"


@pytest.fixture(autouse=True)
def _store(store_home, monkeypatch):
    monkeypatch.setenv("EKIBEN_TEST_STORE", str(store_home))


@pytest.mark.parametrize("name", MODELS)
def test_the_server_answers_what_the_pipeline_predicts(client, models, name):
    model = models[name]
    frame, records = rows_of(model)
    answers = client.post(f"/predict/{name}", json=records).json()
    frame = model.signature.frame(model.signature.check_records(records))
    predicted = model.estimator.predict(frame)
    if name == "loan":
        predicted = np.array(["bad", "good"])[predicted]
        assert [a["probability"] for a in answers] == model.estimator.predict_proba(frame)[:, 1].tolist()
    if name == "grape":
        by_class = dict(
            zip(model.estimator.classes_, model.estimator.predict_proba(frame)[0].tolist(), strict=True)
        )
        assert answers[0]["probabilities"] == by_class
    assert [a["prediction"] for a in answers] == predicted.tolist()
    assert client.post(f"/predict/{name}", json=records[0]).json() == answers[0]


def test_a_label_only_model_answers_the_label_only_unless_asked(client):
    assert client.post("/predict", json={"left": 3, "right": 1}).text == '{"prediction":1}'
    asked = client.post("/predict?fields=probability", json={"left": 3, "right": 1}).json()
    assert asked["prediction"] == 1
    assert asked["probability"] > 0.5
    refused = client.post("/predict?fields=probablity", json={"left": 3, "right": 1})
    assert refused.status_code == 422
    assert refused.json()["problems"][0]["nearest"] == "probability"


def test_every_problem_of_a_request_is_told(client):
    wrong = {"amount [EUR]": "2500", "years": 1.5, "purpos": "car", "guarantor": None}
    answer = client.post("/predict/loan", json=[ROW, wrong])
    assert answer.status_code == 422
    problems = answer.json()["problems"]
    assert {(each.get("row"), each.get("column")) for each in problems} == {
        (1, "amount [EUR]"),
        (1, "years"),
        (1, "purpose"),
        (1, "purpos"),
        (1, "guarantor"),
    }
    assert next(each for each in problems if each["column"] == "purpos")["nearest"] == "purpose"


def test_the_catalogue_tells_what_a_caller_needs(client, models):
    listed = client.get("/models").json()["models"]
    assert [each["name"] for each in listed] == list(MODELS)
    assert listed[1]["metrics"] == {"roc_auc": 0.9}
    loan = client.get("/models/loan").json()
    assert loan["version"] == models["loan"].version
    assert ekiben.Signature.from_json(json.dumps(loan["signature"])) == models["loan"].signature
    assert client.post("/predict/loan", json=loan["example"]).status_code == 200
    assert "loan" in loan["card"]


def test_the_document_types_every_model(client):
    document = client.get("/docs.json").json()
    assert document["openapi"].startswith("3.1")
    for name in MODELS:
        operation = document["paths"][f"/predict/{name}"]["post"]
        content = operation["requestBody"]["content"]["application/json"]
        assert client.post(f"/predict/{name}", json=content["examples"]["one"]["value"]).status_code == 200
        assert client.post(f"/predict/{name}", json=content["examples"]["many"]["value"]).status_code == 200
    record = document["components"]["schemas"]["loan.record"]
    assert record["properties"]["savings"]["type"] == ["number", "null"]
    assert record["properties"]["purpose"]["enum"] == ["car", "house", "other"]


def test_bentomls_own_client_calls_every_model_by_name(server, models):
    with stock_client(server.url) as stock:
        assert stock.predict({"left": 3, "right": 1}) == {"prediction": 1}
        for name, model in models.items():
            _, records = rows_of(model, count=20)
            answers = httpx.post(f"{server.url}/predict/{name}", json=records).json()
            assert getattr(stock, f"predict_{name}")(records) == answers
            assert [stock.call(f"predict_{name}", record) for record in records[:3]] == answers[:3]


def test_metrics_count_what_all_workers_answered(client):
    for _ in range(20):
        client.post("/predict/grape", json={"acid": 1, "sugar": 2, "colour": 0})
    client.post("/predict/grape", json={})
    text = client.get("/metrics").text
    assert 'ekiben_requests_total{model="grape",status="422"}' in text
    assert 'ekiben_model_ready{model="grape"' in text
    assert client.get("/livez").status_code == 200


@pytest.mark.parametrize(
    ("path", "content", "headers"),
    [
        ("/predict", b'{"left": 3, "right": 1}', {}),
        ("/predict/loan", b'[{"left": 3}]', {}),
        ("/predict/loan", b'{"amount [EUR]": NaN}', {}),
        ("/predict/loan", b"[]", {}),
        ("/predict/loan", b"", {}),
        ("/predict/loan?fields=prediction", json.dumps(ROW).encode(), {}),
        ("/predict/loan", json.dumps([ROW, ROW]).encode(), {}),
        ("/predict", b'{"left": 3, "right": 1}', {"content-type": "text/csv"}),
    ],
)
def test_both_paths_answer_alike(client, bare, path, content, headers):
    headers = {"content-type": "application/json"} | headers
    ours = client.post(path, content=content, headers=headers)
    theirs = bare.post(path, content=content, headers=headers)
    assert theirs.headers["x-stamp"] == "1"
    assert (ours.status_code, ours.content) == (theirs.status_code, theirs.content)
    for name in ("content-type", "x-model"):
        assert ours.headers[name] == theirs.headers[name]


def test_a_middleware_sees_predictions_and_the_door_stands_behind_it(shop):
    answer = shop.post("/predict", json={"left": 3, "right": 1})
    assert answer.json() == {"prediction": 1}
    assert answer.headers["x-stamp"] == "1"
    refused = shop.post("/predict", content=b"x", headers={"content-encoding": "gzip"})
    assert refused.status_code == 415
    assert refused.headers["x-stamp"] == "1"
    assert shop.get("/modles").json()["nearest"] == "/models"


def test_methods_of_the_service_itself_stay(shop):
    assert shop.post("/double", json={"number": 21}).text == "42"
    assert shop.post("/predict/loan", json={"number": 3}).text == "3"
    for path in ("/ask", "/ask_in_a_thread"):
        assert shop.post(path, json={"left": 3, "right": 1}).json() == {"prediction": 1}


def test_an_error_in_a_method_of_the_service_itself_is_told_as_a_problem(shop):
    answer = shop.post("/ask_wrong", json={})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["problems_total"] == 2


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"predict": ekiben.Runner("gate")}, "would hide the API"),
        ({"one": ekiben.Runner("gate"), "other": ekiben.Runner("gate")}, "one model, one runner"),
    ],
)
def test_a_service_that_cannot_be_is_refused(attributes, words):
    with pytest.raises(bentoml.exceptions.BentoMLConfigException, match=words):
        bentoml.service(service_class=ekiben.Service)(type("Wrong", (), attributes))


def test_a_tampered_model_is_not_served_and_the_others_are(store_home, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(store_home, home)
    with (newest(home, "loan") / "model.skops").open("ab") as file:
        file.write(b" ")
    running = adhoc(home, "gate", "loan")
    try:
        answer = running.wait("/readyz", status=503)
        assert "'loan'" in answer.json()["detail"]
        assert "model.skops" in answer.json()["detail"]
        refused = httpx.post(f"{running.url}/predict/loan", json=ROW)
        assert refused.status_code == 503
        assert refused.headers["retry-after"]
        assert httpx.post(f"{running.url}/predict", json={"left": 3, "right": 1}).json() == {"prediction": 1}
    finally:
        running.stop()


SLOW = """
import time

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


class Slow(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        self.classes_ = np.array([0, 1])
        self.is_fitted_ = True
        return self

    def predict(self, X):
        time.sleep(float(X["x"].max()))
        return (X["x"] > 0).astype(int)
"""

SAVE_SLOW = """
import ekiben, pandas as pd
from slow import Slow
X = pd.DataFrame({"x": [0.0, 0.0, 0.001]})
ekiben.save("slow", Slow().fit(X, [0, 0, 1]), signature=ekiben.Signature.infer(X, [0, 0, 1], output="label"), trust=["slow.Slow"])
"""


def test_a_stop_loses_no_request_in_flight(store_home, tmp_path):
    (tmp_path / "slow.py").write_text(SLOW)
    variables = {"PYTHONPATH": str(tmp_path)}
    subprocess.run([sys.executable, "-c", SAVE_SLOW], env=environment(store_home, **variables), check=True)
    running = adhoc(store_home, "slow", **variables)
    running.wait()
    answers = []
    requests = [
        threading.Thread(
            target=lambda: answers.append(httpx.post(f"{running.url}/predict", json={"x": 1.5}, timeout=20))
        )
        for _ in range(3)
    ]
    for request in requests:
        request.start()
    time.sleep(0.5)
    seconds, output = running.stop()
    for request in requests:
        request.join(20)
    assert [answer.json() for answer in answers] == [{"prediction": 1}] * 3
    assert seconds < 5, output
    assert "Traceback" not in output


def test_the_command_serves_models_without_a_service_file(store_home):
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "ekiben",
        "serve",
        "grape",
        "gate",
        "--port",
        str(port),
        "--workers",
        "1",
    ]
    process = subprocess.Popen(
        command,
        env=environment(store_home),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        for _ in range(300):
            try:
                answer = httpx.post(
                    f"http://127.0.0.1:{port}/predict", json={"acid": 1, "sugar": 2, "colour": 0}
                )
                break
            except httpx.TransportError:
                time.sleep(0.1)
        assert answer.json()["prediction"] == "nebbiolo"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        output, _ = process.communicate(timeout=15)
    assert "/predict/grape" in output


@pytest.mark.parametrize(
    ("models", "words"), [(["grap"], "did you mean 'grape'?"), (["gate", "gate"], "named twice")]
)
def test_the_command_says_what_it_cannot_serve(store_home, models, words):
    done = subprocess.run(
        [sys.executable, "-m", "ekiben", "serve", *models],
        env=environment(store_home),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
