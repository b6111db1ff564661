"""The locks: two installs are equal, nothing in them names this machine, and they fit the project."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCKS = ("serve", "train", "dev")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PLATFORMS = [
    {"python_version": python, "python_full_version": f"{python}.1", "sys_platform": platform}
    for python in ("3.11", "3.12", "3.13")
    for platform in ("linux", "darwin")
]


def _text(lock: str) -> str:
    return (ROOT / "requirements" / f"{lock}.txt").read_text()


def _entries(lock: str) -> list[tuple[Requirement, list[str]]]:
    """Return each requirement of a lock with its hashes."""
    joined = re.sub(r"\\\n\s*", "", re.sub(r"^\s*#.*\n", "", _text(lock), flags=re.MULTILINE))
    lines = [line.split(" --hash=") for line in joined.splitlines() if line.strip()]
    return [(Requirement(first), [each.strip() for each in hashes]) for first, *hashes in lines]


def _pinned(lock: str, environment: dict[str, str]) -> dict[str, str]:
    """Return what is installed where `environment` holds: version by name."""
    found = {}
    for requirement, _ in _entries(lock):
        if requirement.marker is None or requirement.marker.evaluate(
            {**default_environment(), **environment}
        ):
            (pin,) = requirement.specifier
            assert pin.operator == "=="
            name = canonicalize_name(requirement.name)
            assert name not in found, f"{name} is pinned twice"
            found[name] = pin.version
    return found


def _asked(extra: str | None = None) -> list[Requirement]:
    project = PROJECT["project"]
    texts = project["optional-dependencies"][extra] if extra else project["dependencies"]
    return [Requirement(text) for text in texts]


@pytest.mark.parametrize("lock", LOCKS)
def test_no_address_and_no_path_is_in_a_lock(lock):
    text = _text(lock)
    assert "://" not in text
    assert not re.search(r"^(-i|-f|--(extra-)?index-url|--find-links|--trusted-host)", text, re.MULTILINE)
    assert not re.search(r"(^|\s)/\w", text)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_pinned_with_hashes(lock):
    for requirement, hashes in _entries(lock):
        assert str(requirement.specifier).startswith("=="), requirement.name
        assert hashes, requirement.name
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for each in hashes), requirement.name


@pytest.mark.parametrize("environment", PLATFORMS, ids=lambda each: "-".join(each.values()))
def test_a_larger_lock_holds_the_smaller_one(environment):
    serve, train, dev = (_pinned(lock, environment) for lock in LOCKS)
    assert serve.items() <= train.items() <= dev.items()


@pytest.mark.parametrize(
    ("lock", "extras"), [("serve", [None]), ("train", [None, "arrow", "train"]), ("dev", [None, "dev"])]
)
@pytest.mark.parametrize("environment", PLATFORMS, ids=lambda each: "-".join(each.values()))
def test_a_lock_holds_what_the_project_asks_for(lock, extras, environment):
    pinned = _pinned(lock, environment)
    for requirement in (each for extra in extras for each in _asked(extra)):
        if requirement.name == "ekiben" or (
            requirement.marker and not requirement.marker.evaluate({**default_environment(), **environment})
        ):
            continue
        name = canonicalize_name(requirement.name)
        assert name in pinned, f"{requirement} is not in requirements/{lock}.txt; run `make lock`"
        assert requirement.specifier.contains(pinned[name]), (
            f"{requirement}, but {lock}.txt pins {pinned[name]}"
        )


def test_what_builds_the_package_is_locked_too():
    asked = PROJECT["build-system"]["requires"] + PROJECT["dependency-groups"]["build"]
    pinned = _pinned("train", PLATFORMS[0])
    for requirement in map(Requirement, asked):
        assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)])


def test_never_both_kinds_of_xgboost():
    for environment in PLATFORMS:
        assert len({"xgboost", "xgboost-cpu"} & set(_pinned("serve", environment))) == 1
