"""The image's definition, and the way to docker, with a docker that only writes down what it is asked."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ekiben.errors import ShipError
from ekiben.ship import BuiltImage, build_image, slim_image

ROOT = Path(__file__).parents[1]

FAKE_DOCKER = """#!/bin/sh
echo "$DOCKER_BUILDKIT|$*" >> "$(dirname "$0")/asked"
case "$1" in
info) echo 24.0.0; exit {info};;
version) echo '"24.0.0"';;
buildx) exit {buildx};;
build) echo "Step 1/2 : FROM somewhere"; echo "no such base" >&2; exit {build};;
esac
"""

SERVICE = """
import bentoml

@bentoml.service
class Shop:
    @bentoml.api
    def price(self, pieces: int) -> int:
        return pieces * 2
"""

BUILD = """
import json, msgspec, os
from pathlib import Path
from ekiben.errors import ShipError
from ekiben.ship import build_image
lines = []
try:
    built = build_image(Path(), name="shop", options={"network": "host"}, on_line=lines.append)
    print(json.dumps({"name": built.name, "labels": built.labels, "lines": lines,
                      "buildkit": os.environ.get("DOCKER_BUILDKIT")}))
except ShipError as error:
    print(json.dumps({"error": str(error)}))
"""


@pytest.fixture
def project(tmp_path):
    """A project with a service, and a folder where a docker can be put before every other."""
    (tmp_path / "service.py").write_text(SERVICE)
    (tmp_path / "bentofile.yaml").write_text(
        'service: "service:Shop"\npython:\n  packages: [bentoml]\n  lock_packages: false\n'
    )
    (tmp_path / "bin").mkdir()
    return tmp_path


def put_docker(project, *, info=0, buildx=0, build=0):
    docker = project / "bin" / "docker"
    docker.write_text(FAKE_DOCKER.format(info=info, buildx=buildx, build=build))
    docker.chmod(0o755)


def built(project, **environment):
    """Return what building the project in a process of its own told, and what docker was asked for."""
    path = os.pathsep.join((str(project / "bin"), os.environ["PATH"]))
    told = {"PATH": path, "PYTHONPATH": str(ROOT), "BENTOML_HOME": str(project / "home")} | environment
    done = subprocess.run(
        (sys.executable, "-c", BUILD),
        cwd=project,
        env=os.environ | told,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    asked = project / "bin" / "asked"
    return json.loads(done.stdout.splitlines()[-1]), asked.read_text().splitlines() if asked.exists() else []


def test_the_slim_image_runs_no_package_manager():
    image = slim_image("3.12")
    assert (image.base_image, image.python_version, image.commands) == ("python:3.12-slim", "3.12", [])


def test_the_slim_image_is_of_the_python_that_builds():
    assert slim_image().python_version == f"{sys.version_info.major}.{sys.version_info.minor}"


def test_the_latest_image_has_a_name_without_version():
    assert BuiltImage("shop:k3x", {}).latest == "shop:latest"


def test_a_folder_without_a_bentofile_is_told_so(tmp_path):
    with pytest.raises(ShipError, match=r"bentofile\.yaml is not there"):
        build_image(tmp_path)


def test_without_docker_it_is_named(project, monkeypatch):
    monkeypatch.setenv("PATH", str(project))
    with pytest.raises(ShipError, match="docker is not installed"):
        build_image(project)


def test_an_engine_that_does_not_answer_is_told(project):
    put_docker(project, info=1)
    told, _ = built(project)
    assert "the docker engine does not answer" in told["error"]


def test_docker_is_asked_for_both_names_the_labels_and_the_options(project):
    put_docker(project)
    told, asked = built(project)
    name, _, version = told["name"].partition(":")
    (command,) = [line for line in asked if "|build " in line]
    assert name == "shop"
    assert f"--tag {told['name']} --tag shop:latest" in command
    assert "--network host" in command
    assert told["labels"]["org.opencontainers.image.version"] == version
    for label, value in told["labels"].items():
        assert f"--label {label}={value}" in command


def test_the_classic_builder_is_used_where_buildkit_is_not_installed(project):
    put_docker(project, buildx=1)
    told, asked = built(project, DOCKER_BUILDKIT="")
    del told
    (command,) = [line for line in asked if "|build " in line]
    assert command.startswith("0|")


def test_a_builder_that_was_chosen_is_kept(project):
    put_docker(project, buildx=1)
    _, asked = built(project, DOCKER_BUILDKIT="1")
    (command,) = [line for line in asked if "|build " in line]
    assert command.startswith("1|")


def test_what_the_engine_said_last_is_in_the_error(project):
    put_docker(project, buildx=1, build=1)
    told, _ = built(project)
    assert "could not be built" in told["error"]
    assert "no such base" in told["error"]


def test_a_service_that_cannot_be_imported_is_told_with_the_reason(project):
    put_docker(project)
    (project / "service.py").write_text("import nothing_of_that_name")
    told, _ = built(project)
    assert "nothing_of_that_name" in told["error"]
