"""Output: what a model answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from ekiben.errors import InputError, Problem, SignatureError, nearest, quote

if TYPE_CHECKING:
    from collections.abc import Collection

OutputKind: TypeAlias = Literal["label", "probability", "number", "score", "rank"]
Field: TypeAlias = Literal["prediction", "probability", "probabilities", "score"]
Label: TypeAlias = str | int | float | bool


class Output(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a model answers.

    Args:
        kind: `label` (one of `classes`), `probability` (of `positive`), `number`, `score` (the higher the more normal,
            as scikit-learn's outlier detectors have it) or `rank` (the higher the better, within one query).
        name: What is predicted: the name of the target column.
        classes: The labels, in the order of the columns of `predict_proba`.
        positive: The label whose probability is meant where there are two; by default the second class.
        fields: What an answer holds unless the caller asks for others. `prediction` is always there; `probability` is
            that of `positive`, `probabilities` those of all classes by name, `score` the decision function.
        available: What an answer can hold.
        unit: The unit of a number, for people.
        description: What the answer means, for people.

    Raises:
        SignatureError: The parts do not fit together.
    """

    kind: OutputKind
    name: str = "prediction"
    classes: tuple[Label, ...] | None = None
    positive: Label | None = None
    fields: tuple[Field, ...] = ("prediction",)
    available: tuple[Field, ...] = ("prediction",)
    unit: str | None = None
    description: str | None = None

    def __post_init__(self) -> None:
        flaw = _flaw(self)
        if flaw is not None:
            raise SignatureError(f"output {self.name!r}: {flaw}")

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of `classes` in an answer's `probabilities`: texts as they are, others as JSON writes them.

        >>> Output(kind="label", classes=(False, True)).keys
        ('false', 'true')
        """
        return tuple(
            one if isinstance(one, str) else msgspec.json.encode(one).decode() for one in self.classes or ()
        )

    def choose(self, fields: Collection[str] | None) -> tuple[Field, ...]:
        """Return `fields` in the order in which a model answers them, with `prediction`; None for its own choice.

        Raises:
            InputError: The model cannot answer one of them.

        >>> Output(kind="number", available=("prediction", "score")).choose(["score"])
        ('prediction', 'score')
        """
        if fields is None:
            return self.fields
        shown = ", ".join(self.available)
        problems = [
            Problem(
                message=f"fields: {quote(field)} is not among what the model can answer: {shown}",
                given=quote(field),
                expected=shown,
                nearest=nearest(field, self.available),
            )
            for field in fields
            if field not in self.available
        ]
        if problems:
            raise InputError(problems)
        return tuple(field for field in self.available if field in fields or field == "prediction")


def _flaw(output: Output) -> str | None:
    """Return what is wrong with `output`, or None."""
    if output.kind == "label" and not output.classes:
        return "a label needs its classes"
    if output.classes is not None and len(set(output.classes)) < len(output.classes):
        return "a class stands twice"
    if output.positive is not None and output.positive not in (output.classes or ()):
        return f"positive={output.positive!r} is none of the classes {output.classes}"
    unknown = [field for field in output.fields if field not in output.available]
    if unknown:
        return f"the fields {unknown} are not among those available: {list(output.available)}"
    if "prediction" not in output.fields:
        return "the fields lack 'prediction', which is always there"
    return None
