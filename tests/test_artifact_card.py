"""The page for people about a model."""

from __future__ import annotations

import shlex

import msgspec
import pytest

from ekiben.artifact import card
from ekiben.artifact.manifest import Manifest
from ekiben.artifact.provenance import Commit, Fingerprint
from ekiben.signature import Column, Output, Signature


def manifest(**stated):
    return Manifest(
        **{
            "name": "credit",
            "version": "v1",
            "created": "2026-11-22T15:04:05Z",
            "files": {},
            "versions": {"python": "3.11", "scikit-learn": "1.9"},
            "estimator": "Pipeline(XGBClassifier)",
            "purpose": "Probability that an applicant defaults",
            "domain": "finance",
            **stated,
        }
    )


def signature(*columns, **output):
    columns = columns or (
        Column(
            name="age",
            kind="float",
            dtype="float64",
            unit="years",
            minimum=19.0,
            maximum=75.0,
            lower=18,
            nullable=True,
        ),
        Column(
            name="job", kind="category", dtype="str", categories=("clerk", "none"), description="What they do"
        ),
    )
    example = {column.name: "clerk" if column.categories else 30.0 for column in columns}
    answer = {"kind": "label", "name": "default", "classes": ("good", "bad"), "positive": "bad", **output}
    return Signature(columns, Output(**answer), example)


def test_the_page_says_what_people_ask():
    text = card.render(manifest(seed=7), signature(), {"roc_auc": 0.7912345})
    for wanted in (
        "# credit\n\nProbability that an applicant defaults\n",
        "- Domain: finance",
        "default: a class.",
        "Classes: good, bad. `probability` is that of bad.",
        "| roc\\_auc | 0.791234 |",
        "| age | float | years | 19 to 75 | yes |  |",
        "| job | category |  | clerk, none | no | What they do |",
        "age: values below 18 years are refused.",
        "Categories that are not listed are refused: job.",
        "- Seed: 7",
        "scikit-learn 1.9",
    ):
        assert wanted in text


def test_the_call_can_be_pasted_into_a_shell():
    columns = (Column(name="it's $HOME `id` ```", kind="float", dtype="float64"),)
    text = card.render(manifest(), signature(*columns), {})
    fence, rest = text.partition("## How to call it\n\n")[2].split("sh\n", 1)
    assert len(fence) > 3, "the fence must be longer than what it encloses"
    words = shlex.split(rest.partition("\n" + fence)[0])
    assert words[-1] == "http://localhost:3000/predict/credit"
    assert msgspec.json.decode(words[words.index("-d") + 1]) == {"it's $HOME `id` ```": 30.0}


def test_where_it_comes_from_is_told():
    stated = manifest(
        commit=Commit(commit="97473614", dirty=True),
        script="train/credit.py",
        trusted=("shop.Ratio",),
        fingerprint=Fingerprint(sha256="ab12", data="training data", rows=800, columns=2),
    )
    text = card.render(stated, signature(), {})
    for wanted in ("Training data: 800 rows, 2 columns", "SHA-256 ab12", "Script: train/credit.py", "shop.Ratio",
                   "97473614 and changes since"):  # fmt: skip
        assert wanted in text


def test_nothing_measured_and_no_purpose_is_said():
    text = card.render(manifest(purpose=""), signature(), {})
    assert "Nothing was measured." in text
    assert "No purpose was stated." in text


@pytest.mark.parametrize(
    "hostile",
    ["<script>alert(1)</script>", "a | b", "# heading", "line\n\n# heading", "[x](javascript:alert(1))", "*b* _i_ `c`",
     "![i](http://example.org/x.png)", "a\\|b", "1. list", "- list"],
)  # fmt: skip
def test_texts_from_data_are_shown_as_they_are(hostile):
    column = Column(
        name=hostile,
        kind="category",
        dtype="str",
        categories=("clerk", hostile),
        unit=hostile,
        description=hostile,
    )
    text = card.render(manifest(purpose=hostile, domain=hostile), signature(column), {hostile: 1.0})
    page, _, rest = text.partition("## How to call it")
    after = rest.partition("## Limits")[2]
    for line in (page + after).splitlines():
        assert "<" not in line
        bare = (
            line.replace("\\\\", "")
            .replace("\\|", "")
            .replace("\\`", "")
            .replace("\\*", "")
            .replace("\\_", "")
        )
        assert "](" not in bare.replace("\\]", "")
        if line.startswith("|"):
            assert bare.count("|") in {3, 7}, line
        assert not line.startswith(("# heading", "1. ", "- list"))


def test_many_categories_are_cut():
    column = Column(
        name="city", kind="category", dtype="str", categories=("clerk", *(f"c{k}" for k in range(30)))
    )
    assert "c10 and 19 more" in card.render(manifest(), signature(column), {})
