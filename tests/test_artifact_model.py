"""A model as a folder: written, verified, read."""

from __future__ import annotations

import json

import msgspec
import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ekiben import artifact
from ekiben.artifact import Manifest
from ekiben.artifact.manifest import FileRecord
from ekiben.errors import (
    ArtifactError,
    ChangedFileError,
    ExtraFileError,
    MissingFileError,
    ProtocolError,
    SaveError,
    SignatureError,
    UntrustedTypeError,
)
from ekiben.signature import Signature

X = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 2)), columns=["a", "b"])
Y = (X["a"] > 0).astype(int)


@pytest.fixture
def write(tmp_path):
    """A function that writes a model and returns its folder."""

    def make(estimator=None, **stated):
        if estimator is None:
            estimator = make_pipeline(StandardScaler(), xgboost.XGBClassifier(n_estimators=2, n_jobs=1))
        estimator.fit(X, Y)
        folder = tmp_path / "model"
        folder.mkdir()
        artifact.write(
            folder,
            estimator,
            manifest=Manifest(
                name="credit", version="v1", created="2026-11-22T15:04:05Z", files={}, versions={}
            ),
            signature=Signature.infer(X, Y),
            metrics={"roc_auc": 0.9},
            **stated,
        )
        return folder

    return make


def test_a_model_comes_back(write):
    folder = write(reference=b"PAR1")
    assert {path.name for path in folder.iterdir()} == {
        "booster-0.ubj", "card.md", "manifest.json", "metrics.json", "model.skops", "reference.parquet", "signature.json",
    }  # fmt: skip
    model = artifact.read(folder)
    assert (model.tag, model.metrics) == ("credit:v1", {"roc_auc": 0.9})
    assert model.signature == Signature.infer(X, Y)
    assert model.card.startswith("# credit")
    assert repr(model) == "<Model credit:v1: >"
    assert model.estimator.predict(X).shape == (60,)


def test_a_folder_that_is_in_use_is_not_written_into(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SaveError, match="is not empty"):
        artifact.write(
            tmp_path,
            LogisticRegression().fit(X, Y),
            manifest=Manifest(name="c", version="v", created="", files={}, versions={}),
            signature=Signature.infer(X, Y),
            metrics={},
        )


@pytest.mark.parametrize(
    "name", ["booster-0.ubj", "card.md", "metrics.json", "model.skops", "signature.json"]
)
def test_a_changed_file_is_not_loaded(write, name):
    folder = write()
    (folder / name).write_bytes((folder / name).read_bytes()[:-1] + b"?")
    with pytest.raises(ChangedFileError, match=name):
        artifact.read(folder)


def test_a_missing_file_is_not_made_up_for(write):
    folder = write()
    (folder / "booster-0.ubj").unlink()
    with pytest.raises(MissingFileError, match=r"booster-0\.ubj"):
        artifact.read(folder)


def test_an_extra_file_is_not_overlooked(write):
    folder = write()
    (folder / "sitecustomize.py").write_text("")
    with pytest.raises(ExtraFileError, match=r"sitecustomize\.py"):
        artifact.read(folder)


def test_a_newer_protocol_is_not_tried(write):
    change_manifest(folder := write(), protocol=2)
    with pytest.raises(ProtocolError, match="protocol 2"):
        artifact.read(folder)


def change_manifest(folder, **changes):
    stored = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(stored | changes))


def replace(folder, name, data):
    """Change a file, and the manifest with it."""
    (folder / name).write_bytes(data)
    stored = json.loads((folder / "manifest.json").read_text())
    change_manifest(folder, files=stored["files"] | {name: msgspec.to_builtins(FileRecord.of(data))})


def test_a_type_that_nobody_vouched_for_is_not_built(write, tmp_path, monkeypatch):
    (tmp_path / "own_scaler.py").write_text(
        "from sklearn.preprocessing import StandardScaler\nclass Own(StandardScaler):\n    pass\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    from own_scaler import Own

    folder = write(make_pipeline(Own(), LogisticRegression()), trust=["own_scaler.Own"])
    assert artifact.read(folder).manifest.trusted == ("own_scaler.Own",)
    change_manifest(folder, trusted=[])
    with pytest.raises(UntrustedTypeError, match=r"own_scaler\.Own"):
        artifact.read(folder)


def test_a_manifest_that_lists_no_estimator_is_refused(write):
    folder = write()
    files = json.loads((folder / "manifest.json").read_text())["files"]
    change_manifest(folder, files={name: record for name, record in files.items() if name != "model.skops"})
    with pytest.raises(MissingFileError, match=r"lists no model\.skops"):
        artifact.read(folder)


def test_metrics_that_are_no_numbers_are_refused(write):
    replace(folder := write(), "metrics.json", b'{"roc_auc": "high"}')
    with pytest.raises(ArtifactError, match=r"metrics\.json cannot be read"):
        artifact.read(folder)


def test_a_broken_signature_is_refused(write):
    replace(folder := write(), "signature.json", b"{}")
    with pytest.raises(SignatureError, match="the stored signature cannot be read"):
        artifact.read(folder)


def test_what_is_loaded_are_the_bytes_that_were_checked(write, monkeypatch):
    folder = write()
    checked = Manifest.verify

    def swap(self, *args, **kwargs):
        files = checked(self, *args, **kwargs)
        (folder / "model.skops").write_bytes(b"swapped after the check")
        return files

    monkeypatch.setattr(Manifest, "verify", swap)
    assert artifact.read(folder).estimator.predict(X).shape == (60,)
