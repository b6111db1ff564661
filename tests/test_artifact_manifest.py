"""A folder that is not what was saved is not loaded, and each reason has its own error."""

from __future__ import annotations

import json
import os

import msgspec
import pytest

from ekiben.artifact.manifest import MANIFEST_FILE, PROTOCOL, FileRecord, Manifest
from ekiben.errors import ArtifactError, ChangedFileError, ExtraFileError, MissingFileError, ProtocolError

FILES = {"model.skops": b"the estimator", "signature.json": b"{}", "card.md": b"# credit"}

YESTERDAY = """{
  "name": "credit",
  "version": "q6wcj6xh3gzlaasc",
  "created": "2026-11-22T15:04:05Z",
  "files": {
    "card.md": {"sha256": "9b1ea4d4e8d6a9f5a8c9a1e2f0c4b7d3e6f5a8b1c2d3e4f5a6b7c8d9e0f1a2b3", "size_bytes": 8}
  },
  "versions": {"python": "3.11.7", "scikit-learn": "1.9.1"},
  "trusted": ["shop.features.Ratio"],
  "estimator": "Pipeline(Ratio, XGBClassifier)",
  "purpose": "Probability that an applicant defaults",
  "domain": "finance",
  "commit": {"commit": "97473614a624339c0c997a3bee4134f05e6d72f5", "dirty": true},
  "script": "train/credit.py",
  "seed": 7,
  "fingerprint": {
    "sha256": "a862a4cc4da65aaead12dca7a28a3658b2ebc0c8849e6ace710b2167a948c1a0",
    "data": "sample", "rows": 169, "columns": 30, "form": "per column"
  },
  "protocol": 1
}"""
"""A manifest of protocol 1, as the first version wrote it: every later version must read it."""


@pytest.fixture
def model(tmp_path):
    """A function that makes a folder, its manifest included."""

    def make(files=FILES, **stated):
        manifest = Manifest(
            name="credit",
            version="v1",
            created="2026-11-22T15:04:05Z",
            files={name: FileRecord.of(data) for name, data in files.items()},
            versions={"python": "3.11"},
            **stated,
        )
        for name, data in files.items():
            (tmp_path / name).write_bytes(data)
        (tmp_path / MANIFEST_FILE).write_bytes(manifest.to_json())
        return tmp_path

    return make


def verify(folder, keep=()):
    return Manifest.read(folder).verify(folder, keep)


def test_what_was_saved_is_returned(model):
    assert verify(model(), ["card.md", "model.skops"]) == {
        "card.md": b"# credit",
        "model.skops": b"the estimator",
    }


def test_a_manifest_comes_back_as_it_was(model):
    folder = model(trusted=("shop.Ratio",), seed=3)
    read = Manifest.read(folder)
    assert Manifest.from_json(read.to_json()) == read
    assert read.size_bytes == sum(map(len, FILES.values()))


def test_yesterdays_manifest_is_readable():
    read = Manifest.from_json(YESTERDAY.encode())
    assert (read.name, read.seed, read.trusted, read.protocol) == ("credit", 7, ("shop.features.Ratio",), 1)
    assert read.commit.dirty
    assert read.fingerprint.rows == 169
    assert read.files["card.md"].size_bytes == 8


def test_the_description_of_bentoml_may_lie_beside(model):
    folder = model()
    (folder / "model.yaml").write_text("name: credit")
    assert verify(folder) == {}


@pytest.mark.parametrize("name", FILES)
def test_a_changed_file_is_refused(model, name):
    folder = model()
    data = bytearray(FILES[name])
    data[-1] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(
        ChangedFileError, match=f"{name} is not the file that was saved.*save the model again"
    ):
        verify(folder)


@pytest.mark.parametrize("data", [b"", b"the estimator and more"])
def test_a_file_of_another_size_is_refused(model, data):
    folder = model()
    (folder / "model.skops").write_bytes(data)
    with pytest.raises(ChangedFileError, match=r"model\.skops is not the file"):
        verify(folder)


def test_a_missing_file_is_refused(model):
    folder = model()
    (folder / "signature.json").unlink()
    with pytest.raises(MissingFileError, match=r"signature\.json is missing"):
        verify(folder)


def test_a_missing_manifest_is_refused(model):
    folder = model()
    (folder / MANIFEST_FILE).unlink()
    with pytest.raises(MissingFileError, match=r"manifest\.json is missing.*no model of Ekiben"):
        verify(folder)


def test_an_extra_file_is_refused(model):
    folder = model()
    (folder / "custom_objects.pkl").write_bytes(b"")
    with pytest.raises(
        ExtraFileError, match=r"custom_objects\.pkl: a file that was not saved with the model"
    ):
        verify(folder)


def test_an_extra_folder_is_refused(model):
    folder = model()
    (folder / "inner").mkdir()
    with pytest.raises(ExtraFileError, match="inner: a folder"):
        verify(folder)


def test_a_link_is_refused_even_if_it_leads_to_the_right_bytes(model, tmp_path_factory):
    folder = model()
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "model.skops"
    (folder / "model.skops").rename(elsewhere)
    (folder / "model.skops").symlink_to(elsewhere)
    with pytest.raises(ExtraFileError, match=r"model\.skops: a link"):
        verify(folder)


def test_a_link_that_leads_nowhere_is_refused(model):
    folder = model()
    (folder / "dangling").symlink_to("nowhere")
    with pytest.raises(ExtraFileError, match="dangling: a link"):
        verify(folder)


def test_a_pipe_in_place_of_a_file_is_refused_without_waiting_for_it(model):
    folder = model()
    (folder / "card.md").unlink()
    os.mkfifo(folder / "card.md")
    with pytest.raises(ExtraFileError, match=r"card\.md"):
        verify(folder)


@pytest.mark.parametrize("protocol", [PROTOCOL + 1, 0, -1])
def test_an_unknown_protocol_is_refused_whatever_else_the_manifest_says(model, protocol):
    folder = model()
    (folder / MANIFEST_FILE).write_text(json.dumps({"protocol": protocol, "all": "different"}))
    with pytest.raises(ProtocolError, match=f"has protocol {protocol}, this Ekiben reads 1 to {PROTOCOL}"):
        verify(folder)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"protocol": "1"}', '{"protocol": 1}', '{"protocol": 1, "name": 5}', "\xff"]
)
def test_what_is_no_manifest_is_refused(model, text):
    folder = model()
    (folder / MANIFEST_FILE).write_text(text, encoding="latin-1")
    with pytest.raises(ArtifactError, match=r"manifest\.json cannot be read"):
        verify(folder)


@pytest.mark.parametrize(
    "name", ["../secret", "a/b", "/etc/passwd", "..", ".", "", "a\\b", "a\0", MANIFEST_FILE, "model.yaml"]
)
def test_a_manifest_cannot_name_what_lies_elsewhere(model, name):
    folder = model()
    stored = json.loads((folder / MANIFEST_FILE).read_text())
    stored["files"][name] = msgspec.to_builtins(FileRecord.of(b""))
    (folder / MANIFEST_FILE).write_text(json.dumps(stored))
    with pytest.raises(ArtifactError, match="which is no file of a model's folder"):
        verify(folder)
