"""The one tree of errors.

    EkibenError
    ├── SignatureError          a signature cannot be inferred, stated or read
    ├── PolicyError             models/NAME.toml says something that cannot be
    ├── StoreError
    │   ├── ModelNotFoundError  no such model, version or alias
    │   └── SaveError           a model cannot be stored as it is
    ├── ArtifactError           a stored model must not be loaded
    │   ├── ChangedFileError    a file is not the one that was saved
    │   ├── MissingFileError    a file of the manifest is not there
    │   ├── ExtraFileError      a file that the manifest does not know
    │   ├── ProtocolError       written by a newer Ekiben
    │   └── UntrustedTypeError  the file asks for a type that nobody vouched for
    ├── RequestError            what the caller sent cannot be answered
    │   ├── AddressNotFoundError  the server has no such address
    │   ├── MalformedError      not JSON, or not a record nor a list of records
    │   ├── InputError          rows that do not fit the signature; lists every problem
    │   ├── RowError            the model refused a row that fits the signature
    │   ├── TooLargeError       more bytes or rows than the limit
    │   └── UnsupportedError    a media type or a method that this address does not take
    ├── ServingError            the server cannot answer now
    │   ├── OverloadedError     the queue is full; says when to come back
    │   ├── DeadlineError       the answer would come too late
    │   ├── NotReadyError       the model is not loaded; says why
    │   └── EngineError         the engine broke its contract
    ├── ClientError             the client could not reach or understand the server
    ├── TableError              a table of data cannot be read or used
    ├── ShipError               a bento or an image cannot be built
    └── MissingExtraError       an optional library is needed; names the extra

Each error has a `code` (the end of the `type` of its problem+json) and carries data, not only text. `members` gives
that data for the wire, `from_members` makes the same error from it. No web library is known here: status codes are
chosen at the front door.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MAX_PROBLEMS = 1000
"""How many problems of one request are listed; all are counted."""

MAX_GIVEN_CHARS = 100
"""A value of the caller's is quoted up to this length."""


class EkibenError(Exception):
    """The base of all errors of Ekiben."""

    code: ClassVar[str] = "error"
    title: ClassVar[str] = "Something went wrong"

    def members(self) -> dict[str, Any]:
        """Return the data of this error as JSON-ready members, without the text."""
        return {}

    @classmethod
    def from_members(cls, detail: str, members: Mapping[str, Any]) -> EkibenError:
        """Return the error that `members` and the text `detail` describe."""
        del members
        return cls(detail)


class SignatureError(EkibenError):
    """A signature cannot be inferred, stated or read."""

    code = "signature"
    title = "The signature is not valid"


class PolicyError(EkibenError):
    """A `models/NAME.toml` says something that cannot be."""

    code = "policy"
    title = "The model's policy is not valid"


class StoreError(EkibenError):
    """The model store cannot do what was asked."""

    code = "store"
    title = "The model store refused"


class ModelNotFoundError(StoreError):
    """No model, version or alias of that name.

    Args:
        name: What was asked for.
        known: The names that there are; the nearest is suggested.
        hint: What to do, if there is nothing near.
    """

    code = "model-not-found"
    title = "No such model"

    def __init__(self, name: str, known: Iterable[str] = (), hint: str = "") -> None:
        self.name = name
        self.known = tuple(sorted(known))
        self.nearest = nearest(name, self.known)
        super().__init__(
            f"no model {name!r}{_suggest(self.nearest, self.known, 'models')}{hint and '; ' + hint}"
        )

    def members(self) -> dict[str, Any]:
        """Return `model`, `nearest` and `models`."""
        return {"model": self.name, "nearest": self.nearest, "models": list(self.known)}

    @classmethod
    def from_members(cls, detail: str, members: Mapping[str, Any]) -> ModelNotFoundError:
        """Return the error that the server described."""
        del detail
        return cls(str(members.get("model", "?")), members.get("models", ()))


class SaveError(StoreError):
    """A model cannot be stored as it is."""

    code = "save"
    title = "The model cannot be saved"


class ArtifactError(EkibenError):
    """A stored model must not be loaded."""

    code = "artifact"
    title = "The stored model is not sound"


class ChangedFileError(ArtifactError):
    """A file is not the one that was saved."""

    code = "changed-file"
    title = "A file of the model was changed"


class MissingFileError(ArtifactError):
    """A file of the manifest is not there."""

    code = "missing-file"
    title = "A file of the model is missing"


class ExtraFileError(ArtifactError):
    """A file lies in the model that the manifest does not know."""

    code = "extra-file"
    title = "The model holds a file that was not saved with it"


class ProtocolError(ArtifactError):
    """The model was written in a form that this version cannot read."""

    code = "protocol"
    title = "The model was written by another version"


class UntrustedTypeError(ArtifactError):
    """The native file asks for types that nobody vouched for.

    Args:
        types: Their full names.
        text: The message.
    """

    code = "untrusted-type"
    title = "The model asks for a type that is not trusted"

    def __init__(self, types: Iterable[str], text: str) -> None:
        self.types = tuple(sorted(types))
        super().__init__(text)


class RequestError(EkibenError):
    """What the caller sent cannot be answered."""

    code = "request"
    title = "The request cannot be answered"


class AddressNotFoundError(RequestError):
    """The server has no such address.

    Args:
        path: What was asked for.
        known: The addresses that there are; the nearest is suggested.
    """

    code = "not-found"
    title = "No such address"

    def __init__(self, path: str, known: Iterable[str] = ()) -> None:
        self.path = path
        self.known = tuple(sorted(known))
        self.nearest = nearest(path, self.known)
        super().__init__(f"no address {path!r}{_suggest(self.nearest, self.known, 'addresses')}")

    def members(self) -> dict[str, Any]:
        """Return `path`, `nearest` and `addresses`."""
        return {"path": self.path, "nearest": self.nearest, "addresses": list(self.known)}

    @classmethod
    def from_members(cls, detail: str, members: Mapping[str, Any]) -> AddressNotFoundError:
        """Return the error that the server described."""
        del detail
        return cls(str(members.get("path", "?")), members.get("addresses", ()))


class MalformedError(RequestError):
    """The body is not JSON, or neither a record nor a list of records."""

    code = "malformed"
    title = "The body cannot be read"


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that is wrong with a row.

    Args:
        message: The whole sentence, for a person.
        row: Which row, counted from 0; None for the request itself.
        column: Which column; None for the row itself.
        given: What was given, quoted and shortened.
        expected: What would have been right.
        nearest: The nearest valid name or category, if one is near.
    """

    message: str
    row: int | None = None
    column: str | None = None
    given: str | None = None
    expected: str | None = None
    nearest: str | None = None


class InputError(RequestError):
    """Rows do not fit the signature.

    Args:
        problems: Every problem found, at most `MAX_PROBLEMS` of them.
        total: How many there are in all; by default as many as are listed.
    """

    code = "invalid-input"
    title = "The input does not fit the model's signature"

    def __init__(self, problems: Sequence[Problem], total: int | None = None) -> None:
        self.problems = tuple(problems[:MAX_PROBLEMS])
        self.total = len(problems) if total is None else total
        first = self.problems[0].message if self.problems else "the input is not valid"
        more = f" (and {self.total - 1} more)" if self.total > 1 else ""
        super().__init__(first + more)

    def members(self) -> dict[str, Any]:
        """Return `problems` and `problems_total`."""
        return {"problems": list(self.problems), "problems_total": self.total}

    @classmethod
    def from_members(cls, detail: str, members: Mapping[str, Any]) -> InputError:
        """Return the error that the server described."""
        problems = msgspec.convert(members.get("problems", []), list[Problem])
        return cls(problems or [Problem(detail)], members.get("problems_total"))


class RowError(RequestError):
    """The model refused a row that fits the signature.

    Args:
        row: Which row of the request, counted from 0.
        reason: What the model said.
    """

    code = "row"
    title = "The model cannot answer a row"

    def __init__(self, row: int, reason: str) -> None:
        self.row = row
        self.reason = reason
        super().__init__(f"row {row}: the model cannot answer it: {reason}")

    def members(self) -> dict[str, Any]:
        """Return `row` and `reason`."""
        return {"row": self.row, "reason": self.reason}

    @classmethod
    def from_members(cls, detail: str, members: Mapping[str, Any]) -> RowError:
        """Return the error that the server described."""
        return cls(int(members.get("row", 0)), str(members.get("reason", detail)))


class TooLargeError(RequestError):
    """The request has more bytes or rows than the limit."""

    code = "too-large"
    title = "The request is too large"


class UnsupportedError(RequestError):
    """A media type or a method that this address does not take."""

    code = "unsupported"
    title = "This address does not take that"


class ServingError(EkibenError):
    """The server cannot answer now."""

    code = "serving"
    title = "The server cannot answer now"


class OverloadedError(ServingError):
    """The queue is full.

    Args:
        text: The message.
        retry_after_s: When to come back, in seconds.
    """

    code = "overloaded"
    title = "The server is overloaded"

    def __init__(self, text: str, retry_after_s: float = 1.0) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(text)

    def members(self) -> dict[str, Any]:
        """Return `retry_after_s`."""
        return {"retry_after_s": self.retry_after_s}

    @classmethod
    def from_members(cls, detail: str, members: Mapping[str, Any]) -> OverloadedError:
        """Return the error that the server described."""
        return cls(detail, float(members.get("retry_after_s", 1.0)))


class DeadlineError(ServingError):
    """The answer would come too late."""

    code = "deadline"
    title = "The deadline has passed"


class NotReadyError(ServingError):
    """The model is not loaded."""

    code = "not-ready"
    title = "The model is not ready"


class EngineError(ServingError):
    """The engine broke its contract, or failed for a reason of its own."""

    code = "engine"
    title = "The model failed"


class ClientError(EkibenError):
    """The client could not reach the server, or could not understand its answer.

    Args:
        text: The message.
        status: The HTTP status of the answer; None if there was none.
        url: The address that was asked; None if none was.
    """

    code = "client"
    title = "The client failed"

    def __init__(self, text: str, *, status: int | None = None, url: str | None = None) -> None:
        self.status = status
        self.url = url
        super().__init__(text)


class TableError(EkibenError):
    """A table of data cannot be read or used."""

    code = "table"
    title = "The table cannot be used"


class ShipError(EkibenError):
    """A bento or an image cannot be built."""

    code = "ship"
    title = "The image cannot be built"


class MissingExtraError(EkibenError):
    """An optional library is needed.

    Args:
        library: What could not be imported.
        extra: The extra of Ekiben that installs it.
        purpose: What it is needed for.
    """

    code = "missing-extra"
    title = "An optional library is missing"

    def __init__(self, library: str, extra: str, purpose: str) -> None:
        self.library = library
        self.extra = extra
        super().__init__(f"{purpose} needs {library}, which is not installed: pip install 'ekiben[{extra}]'")


def nearest(given: str, known: Iterable[str]) -> str | None:
    """Return the name in `known` that is nearest to `given`, or None if none is near.

    >>> nearest("agee", ["age", "amount"])
    'age'
    >>> nearest("Torque", ["Torque [Nm]", "Type"])
    'Torque [Nm]'
    """
    names = list(known)
    folded = {name.casefold(): name for name in reversed(names)}
    close = difflib.get_close_matches(given.casefold(), folded, n=1, cutoff=0.6)
    if close:
        return folded[close[0]]
    prefixed = [name for name in names if len(given) > 2 and name.casefold().startswith(given.casefold())]
    return prefixed[0] if prefixed else None


def quote(value: object) -> str:
    """Return `value` as JSON writes it, shortened to `MAX_GIVEN_CHARS`.

    >>> quote("a" * 200)[-4:]
    'aaa…'
    """
    try:
        text = msgspec.json.encode(value).decode()
    except (TypeError, ValueError, OverflowError):
        text = repr(value)
    return text if len(text) <= MAX_GIVEN_CHARS else text[: MAX_GIVEN_CHARS - 1] + "…"


def by_code() -> dict[str, type[EkibenError]]:
    """Return every error class by its code."""
    found: dict[str, type[EkibenError]] = {}
    pending: list[type[EkibenError]] = [EkibenError]
    while pending:
        kind = pending.pop()
        found[kind.code] = kind
        pending.extend(kind.__subclasses__())
    return found


def _suggest(near: str | None, known: Sequence[str], noun: str) -> str:
    if near is not None:
        return f"; did you mean {near!r}?"
    if known:
        shown = ", ".join(known[:10]) + (", …" if len(known) > 10 else "")
        return f"; the {noun} are: {shown}"
    return f"; there are no {noun} yet"
