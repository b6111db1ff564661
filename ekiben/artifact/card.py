"""Card: a page for people about a stored model: what it is for, how good it is, what it takes, where it comes from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ekiben.artifact.manifest import Manifest
    from ekiben.signature import Column, Output, Signature

CARD_FILE = "card.md"
"""Where the card lies in the folder of a model."""

MAX_CATEGORIES = 12
"""How many categories of a column the card names."""

_ANSWERS = {
    "label": "a class",
    "probability": "the probability of a class",
    "number": "a number",
    "score": "1 for a normal row and -1 for an outlier, with a score: the higher, the more normal",
    "rank": "a number to sort the candidates of one query by: the higher, the better",
}


def render(manifest: Manifest, signature: Signature, metrics: Mapping[str, float]) -> str:
    """Return the card as Markdown.

    Args:
        manifest: Where the model comes from; its `files` are not looked at.
        signature: What it takes and answers.
        metrics: How good it is.
    """
    sections = [
        _head(manifest),
        "## What it answers\n\n" + _answer(signature.output),
        "## How good it is\n\n" + _metrics(metrics),
        "## What it takes\n\n" + _columns(signature),
        "## How to call it\n\n" + _call(manifest.name, signature),
        "## Limits\n\n" + _limits(signature),
        "## Where it comes from\n\n" + _origin(manifest),
    ]
    return "\n\n".join(sections) + "\n"


def escape(value: object) -> str:
    r"""Return text that Markdown shows as it is, on one line, also inside a table.

    >>> print(escape("Air temperature [K] | <b>"))
    Air temperature \[K\] \| &lt;b&gt;
    """
    text = " ".join(str(value).split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = re.sub(r"([\\`*_{}\[\]#|~$!])", r"\\\1", text)
    return re.sub(r"^(\d*)([-+=.)])(?= )", r"\1\\\2", text)  # no list, no heading


def _head(manifest: Manifest) -> str:
    lines = [f"# {escape(manifest.name)}", escape(manifest.purpose) or "No purpose was stated."]
    facts = [
        ("Version", manifest.version),
        ("Saved", manifest.created),
        ("Domain", manifest.domain),
        ("Model", manifest.estimator),
    ]
    lines.append("\n".join(f"- {key}: {escape(value)}" for key, value in facts if value))
    return "\n\n".join(lines)


def _answer(output: Output) -> str:
    unit = f", in {escape(output.unit)}" if output.unit else ""
    text = f"{escape(output.name)}: {_ANSWERS[output.kind]}{unit}."
    if output.description:
        text += f" {escape(output.description)}"
    if output.classes:
        text += f"\n\nClasses: {_list(output.classes)}."
        if output.positive is not None:
            text += f" `probability` is that of {escape(_word(output.positive))}."
    return (
        text
        + f"\n\nAn answer holds `{'`, `'.join(output.fields)}`; it can hold `{'`, `'.join(output.available)}`."
    )


def _metrics(metrics: Mapping[str, float]) -> str:
    if not metrics:
        return "Nothing was measured."
    return _table(("Metric", "Value"), [(escape(name), f"{value:.6g}") for name, value in metrics.items()])


def _columns(signature: Signature) -> str:
    header = ("Column", "Kind", "Unit", "Range or categories", "May be missing", "Meaning")
    rows = [
        (
            escape(column.name),
            column.kind,
            escape(column.unit or ""),
            _range(column),
            "yes" if column.nullable else "no",
            escape(column.description or ""),
        )
        for column in signature.columns
    ]
    return _table(header, rows)


def _range(column: Column) -> str:
    if column.categories is not None:
        return _list(column.categories)
    if column.minimum is None or column.maximum is None:
        return ""
    return f"{escape(_word(column.minimum))} to {escape(_word(column.maximum))}"


def _call(name: str, signature: Signature) -> str:
    body = msgspec.json.encode(signature.example).decode().replace("'", "'\\''")
    command = (
        f"curl -X POST -H 'Content-Type: application/json' -d '{body}' http://localhost:3000/predict/{name}"
    )
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", command))])
    return f"{fence}sh\n{command}\n{fence}"


def _limits(signature: Signature) -> str:
    lines = ["Ranges are what training saw; outside of them the model extrapolates."]
    bounded = [column for column in signature.columns if column.lower is not None or column.upper is not None]
    for column in bounded:
        low = f"below {column.lower:g}" if column.lower is not None else ""
        high = f"above {column.upper:g}" if column.upper is not None else ""
        unit = f" {escape(column.unit)}" if column.unit else ""
        lines.append(
            f"{escape(column.name)}: values {' or '.join(filter(None, (low, high)))}{unit} are refused."
        )
    strict = [
        column.name
        for column in signature.columns
        if column.categories is not None and column.unseen == "error"
    ]
    if strict:
        lines.append(f"Categories that are not listed are refused: {_list(strict)}.")
    if signature.extra == "error":
        lines.append("Fields that are not listed are refused.")
    return "\n".join(f"- {line}" for line in lines)


def _origin(manifest: Manifest) -> str:
    facts: list[tuple[str, object]] = []
    data = manifest.fingerprint
    if data is not None:
        facts += [
            (data.data.capitalize(), f"{data.rows} rows, {data.columns} columns"),
            ("Fingerprint", f"SHA-256 {data.sha256} ({data.form})"),
        ]
    if manifest.seed is not None:
        facts.append(("Seed", manifest.seed))
    if manifest.script is not None:
        facts.append(("Script", manifest.script))
    if manifest.commit is not None:
        facts.append(
            ("Commit", manifest.commit.commit + (" and changes since" if manifest.commit.dirty else ""))
        )
    if manifest.trusted:
        facts.append(("Trusted by name", ", ".join(manifest.trusted)))
    facts.append(("Versions", ", ".join(f"{name} {number}" for name, number in manifest.versions.items())))
    return "\n".join(f"- {key}: {escape(value)}" for key, value in facts)


def _list(values: Sequence[object]) -> str:
    shown = ", ".join(escape(_word(value)) for value in values[:MAX_CATEGORIES])
    return shown if len(values) <= MAX_CATEGORIES else f"{shown} and {len(values) - MAX_CATEGORIES} more"


def _word(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
