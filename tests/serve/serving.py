"""Four small models, and a server of a process of its own."""

import os
import signal
import socket
import subprocess
import sys
import time

import httpx
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from xgboost import XGBClassifier

import ekiben

MODELS = ("gate", "loan", "grape", "load")


def save_models():
    """Save a label-only classifier, one with mixed types, one of three classes, and a regressor."""
    rng = np.random.default_rng(0)
    gate = pd.DataFrame(rng.uniform(0, 4, (200, 2)), columns=["left", "right"])
    label = (gate["left"] > gate["right"]).astype(int)
    pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(gate, label)
    signature = ekiben.Signature.infer(gate, label)
    ekiben.save("gate", pipeline, signature=signature, sample=gate, labels=label, probabilities=False)

    loan = pd.DataFrame(
        {
            "amount [EUR]": rng.gamma(2, 1500, 300),
            "years": rng.integers(1, 30, 300),
            "purpose": rng.choice(["car", "house", "other"], 300),
            "savings": np.where(rng.random(300) < 0.2, np.nan, rng.gamma(2, 800, 300)),
            "guarantor": rng.random(300) < 0.3,
        }
    )
    risk = np.where(loan["amount [EUR]"] / 3000 + rng.normal(0, 0.3, 300) > 1, "bad", "good")
    prepare = make_column_transformer(
        (SimpleImputer(), ["amount [EUR]", "savings"]),
        (OneHotEncoder(sparse_output=False), ["purpose"]),
        remainder="passthrough",
    )
    encoded = (risk == "good").astype(int)
    pipeline = make_pipeline(prepare, XGBClassifier(n_estimators=20, random_state=0)).fit(loan, encoded)
    signature = ekiben.Signature.infer(loan, risk, target="risk")
    ekiben.save("loan", pipeline, signature=signature, sample=loan, labels=risk, metrics={"roc_auc": 0.9})

    grape = pd.DataFrame(rng.normal(0, 1, (300, 3)), columns=["acid", "sugar", "colour"])
    kind = np.array(["barbera", "nebbiolo", "dolcetto"])[np.argmax(grape.to_numpy(), axis=1)]
    pipeline = DecisionTreeClassifier(max_depth=4, random_state=0).fit(grape, kind)
    ekiben.save("grape", pipeline, signature=ekiben.Signature.infer(grape, kind), sample=grape, labels=kind)

    load = pd.DataFrame({"hour": rng.integers(0, 24, 300), "temperature": rng.normal(10, 8, 300)})
    flow = 100 * np.sin(load["hour"] / 24 * np.pi) + load["temperature"] + rng.normal(0, 1, 300)
    pipeline = RandomForestRegressor(10, random_state=0).fit(load, flow)
    ekiben.save("load", pipeline, signature=ekiben.Signature.infer(load, flow), sample=load, labels=flow)


def environment(home, **more):
    return {**os.environ, "BENTOML_HOME": str(home), "BENTOML_DO_NOT_TRACK": "True", **more}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """`bentoml serve` in a process group of its own."""

    def __init__(self, home, target, *, folder=None, arguments=(), **variables):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "bentoml", "serve", target, "--port", str(self.port), *arguments]
        self.process = subprocess.Popen(
            command,
            env=environment(home, **variables),
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def wait(self, path="/readyz", status=200, timeout_s=60):
        end_s = time.monotonic() + timeout_s
        last = "no answer"
        while time.monotonic() < end_s:
            assert self.process.poll() is None, self.process.stdout.read()
            try:
                response = httpx.get(self.url + path)
            except httpx.TransportError:
                time.sleep(0.1)
                continue
            last = f"{response.status_code} {response.text}"
            if response.status_code == status:
                return response
            time.sleep(0.1)
        raise AssertionError(f"{path} did not answer {status} within {timeout_s} s: {last}")

    def stop(self, timeout_s=15):
        """Ask it to stop; return the seconds that took and what it printed."""
        started_s = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            output, _ = self.process.communicate(timeout=timeout_s)
        finally:
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
        return time.monotonic() - started_s, output


def adhoc(home, *names, workers=1, **variables):
    """Return a server of models of the store, without a `service.py`."""
    return Server(
        home,
        "ekiben.serve.adhoc:Models",
        EKIBEN_SERVE_MODELS=",".join(names or MODELS),
        EKIBEN_SERVE_WORKERS=str(workers),
        **variables,
    )


if __name__ == "__main__":
    save_models()
