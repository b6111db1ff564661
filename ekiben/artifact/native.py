"""Native: an estimator as files, and back, without pickle: skops for all of it but XGBoost's boosters, which are UBJSON.

`model.skops` holds the estimator; where it holds a booster, the file says `ekiben:booster-0.ubj`. Types and functions
are built by exact name only: those of `trusted`, and those that the manifest names because somebody vouched for them when
the model was saved. The manifest is not signed: whoever may write into the store may vouch, too.
"""

from __future__ import annotations

import copy
import re
import zipfile
from typing import TYPE_CHECKING, Any

from ekiben.artifact.graph import Place, walk
from ekiben.artifact.trusted import TRUSTED, is_standard, untrusted
from ekiben.errors import ArtifactError, SaveError, UntrustedTypeError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MODEL_FILE = "model.skops"
"""Where the estimator is."""

BOOSTER_FILE = re.compile(r"booster-\d+\.ubj")
"""What a booster's file is called."""

_MARK = "ekiben:booster-"
_BOOSTER = "xgboost.core.Booster"


def dump(estimator: object, trust: Iterable[str | type] = ()) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """Return the files of a fitted estimator, and the types that `trust` had to vouch for.

    Args:
        estimator: A fitted estimator or pipeline. It is not changed.
        trust: Types and functions of your own that it holds: `shop.features.Ratio`, by name or themselves.

    Returns:
        The bytes of each file by name, and the names out of `trust` that were needed, sorted.

    Raises:
        SaveError: It is not fitted, or holds something that cannot be written or found again.
        UntrustedTypeError: It holds types that neither Ekiben nor `trust` vouches for.
    """
    import skops.io  # noqa: PLC0415 - heavy; serving does not write

    places = list(walk(estimator))
    _check_fitted(estimator)
    _check_importable(places)
    rest, boosters = _without_boosters(estimator, places)
    try:
        data = skops.io.dumps(rest, compression=zipfile.ZIP_DEFLATED, compresslevel=1)
        types = skops.io.get_untrusted_types(data=data)
    except Exception as error:  # skops raises whatever an object raises
        _refuse_pandas(places)
        path, reason = _culprit(rest, error)
        raise SaveError(
            f"{path} cannot be written without pickle: {reason}; replace it, or delete it if prediction does not need it"
        ) from error
    if any(name.partition(".")[0] == "pandas" for name in types):
        _refuse_pandas(places)
    needed = _vouched(types, [_name(item) for item in trust])
    return {MODEL_FILE: data, **boosters}, needed


def load(files: Mapping[str, bytes], named: Iterable[str] = ()) -> Any:
    """Return the estimator that `dump` wrote.

    Args:
        files: The bytes of each file by name, already verified.
        named: The types that were vouched for when it was saved.

    Raises:
        UntrustedTypeError: It asks for types that neither Ekiben nor `named` vouches for. Nothing was built.
        ArtifactError: It cannot be built here.
    """
    import skops.io  # noqa: PLC0415 - heavy
    from skops.io.exceptions import UntrustedTypesFoundException  # noqa: PLC0415 - heavy

    _refuse_standard(named)
    data = files[MODEL_FILE]
    try:
        estimator = skops.io.loads(data, trusted=[*TRUSTED, *named])
    except UntrustedTypesFoundException as error:
        missing = untrusted(skops.io.get_untrusted_types(data=data), named)
        raise UntrustedTypeError(missing, _how_to_trust(missing)) from error
    except (ImportError, AttributeError) as error:
        names = f" ({', '.join(named)})" if named else ""
        raise ArtifactError(
            f"the model needs what cannot be imported here: {error}. Install it, or put the folder of its module{names}"
            " on PYTHONPATH"
        ) from error
    except Exception as error:  # skops raises whatever an object raises
        raise ArtifactError(
            f"{MODEL_FILE} cannot be read by this scikit-learn: {type(error).__name__}: {error}"
        ) from error
    _put_boosters_back(estimator, files)
    return estimator


def _without_boosters(estimator: object, places: list[Place]) -> tuple[object, dict[str, bytes]]:
    """Return the estimator with a mark in place of each booster, and their files; what holds none is not copied."""
    from xgboost import Booster  # noqa: PLC0415 - heavy

    names: dict[int, str] = {}
    files: dict[str, bytes] = {}
    for place in places:
        if isinstance(place.value, str) and place.value.startswith(_MARK):
            raise SaveError(f"{place.path} is {place.value!r}: Ekiben marks boosters so; choose another text")
        if isinstance(place.value, Booster) and place.holder is None:
            raise SaveError(f"{place.path} is a bare booster; use XGBClassifier, XGBRegressor or XGBRanker")
        if isinstance(place.value, Booster) and id(place.value) not in names:
            name = names[id(place.value)] = f"booster-{len(names)}.ubj"
            files[name] = bytes(place.value.save_raw("ubj"))
    if not names:
        return estimator, {}
    # What leads to a booster is copied, so that the caller's object stays as it is; all else stands in for its copy.
    leading = _leading_to(set(names), places)
    memo = {id(place.value): place.value for place in places if id(place.value) not in leading}
    memo |= {key: f"ekiben:{name}" for key, name in names.items()}
    try:
        return copy.deepcopy(estimator, memo), files
    except Exception as error:  # whatever a class of the user's raises
        raise SaveError(f"the estimator cannot be copied: {type(error).__name__}: {error}") from error


def _leading_to(targets: set[int], places: list[Place]) -> set[int]:
    """Return the ids of all objects from which one of `targets` can be reached."""
    holders: dict[int, set[int]] = {}
    for place in places:
        if place.parent is not None:
            holders.setdefault(id(place.value), set()).add(id(place.parent.value))
    leading: set[int] = set()
    pending = set(targets)
    while pending:
        found = holders.get(pending.pop(), set()) - leading
        leading |= found
        pending |= found
    return leading


def _put_boosters_back(estimator: object, files: Mapping[str, bytes]) -> None:
    boosters: dict[str, Any] = {}
    for place in list(walk(estimator)):
        if not (isinstance(place.value, str) and place.value.startswith(_MARK)):
            continue
        name = place.value.removeprefix("ekiben:")
        if name not in files:
            raise ArtifactError(f"{place.path} needs {name}, which the model does not hold; save it again")
        if name not in boosters:
            boosters[name] = _booster(files[name], place)
        place.put(boosters[name])
    unused = {name for name in files if BOOSTER_FILE.fullmatch(name)} - boosters.keys()
    if unused:
        raise ArtifactError(
            f"nothing in {MODEL_FILE} needs {', '.join(sorted(unused))}; save the model again"
        )


def _booster(data: bytes, place: Place) -> Any:
    """Return a booster with as many threads as the estimator that holds it says."""
    import xgboost  # noqa: PLC0415 - heavy

    threads = place.holder.get("n_jobs") if isinstance(place.holder, dict) else None
    booster = xgboost.Booster({} if threads is None else {"nthread": int(threads)})
    try:
        booster.load_model(bytearray(data))
    except xgboost.core.XGBoostError as error:
        raise ArtifactError(f"{place.path}: this xgboost cannot read its booster: {error}") from error
    return booster


def _check_fitted(estimator: object) -> None:
    from sklearn.exceptions import NotFittedError  # noqa: PLC0415 - heavy
    from sklearn.utils.validation import check_is_fitted  # noqa: PLC0415 - heavy

    name = type(estimator).__name__
    if not hasattr(estimator, "predict"):
        raise SaveError(f"{name} has no `predict`: give a fitted estimator, or a pipeline that ends in one")
    try:
        check_is_fitted(estimator)
    except NotFittedError as error:
        raise SaveError(f"{name} is not fitted: call its `fit` before you save it") from error
    except TypeError:  # no scikit-learn estimator: the trial prediction will tell
        return


def _check_importable(places: list[Place]) -> None:
    """Refuse what a program that loads the model could not import again."""
    for place in places:
        thing = place.value if hasattr(place.value, "__qualname__") else type(place.value)
        name = thing.__qualname__
        if "<lambda>" in name:
            problem = (
                "is a lambda, which has no name to find it again by; write a function in a module of your own"
            )
        elif getattr(thing, "__module__", None) in {"__main__", "__mp_main__"}:
            problem = (
                f"uses {name} of the script that runs, which nobody else can import; move it to a module, for example"
                f" features.py, import it from there, and save with trust=['features.{name}']"
            )
        elif "<locals>" in name:
            problem = f"uses {name}, which is defined inside a function; move it to the top of its module"
        else:
            continue
        raise SaveError(f"{place.path} {problem}")


def _refuse_pandas(places: list[Place]) -> None:
    """Refuse pandas objects, which cannot be written without pickle, by the place that a person can change."""
    for place in places:
        kind = type(place.value)
        if kind.__module__.partition(".")[0] == "pandas":
            raise SaveError(
                f"{place.path} is a pandas {kind.__name__}, which cannot be written without pickle; keep its .to_numpy(), or"
                " a dict"
            )


def _vouched(types: Iterable[str], trust: list[str]) -> tuple[str, ...]:
    """Return the names out of `trust` that are needed."""
    _refuse_standard(trust)
    found = untrusted(types)
    if _BOOSTER in found:
        raise SaveError(
            "the estimator keeps an XGBoost booster in __slots__ or behind __getstate__; keep it as an attribute"
        )
    lost = [name for name in found if name.startswith("__main__.")]
    if lost:
        raise SaveError(
            f"{', '.join(lost)} cannot be imported by others; move it to a module, and name it in `trust`"
        )
    missing = untrusted(found, trust)
    if missing:
        raise UntrustedTypeError(missing, _how_to_trust(missing, trust))
    return found


def _how_to_trust(missing: Iterable[str], trust: Iterable[str] = ()) -> str:
    missing = list(missing)
    near = [f"{name!r} for {found!r}" for name in trust if (found := nearest(name, missing))]
    standard = [name for name in missing if is_standard(name)]
    if standard:
        advice = f"{', '.join(standard)} of Python's standard library cannot be trusted; write a function of your own"
    else:
        advice = f"if you know them, save the model with trust={missing!r}"
    return (
        f"the model asks for {', '.join(missing)}, which neither Ekiben nor the manifest trusts; {advice}"
        + (f" (did you write {', '.join(near)}?)" if near else "")
    )


def _refuse_standard(names: Iterable[str]) -> None:
    standard = sorted(name for name in names if is_standard(name))
    if standard:
        raise UntrustedTypeError(
            standard,
            f"{', '.join(standard)}: what belongs to Python's standard library cannot be trusted by naming it; write a"
            " function or class in a module of your own, and name that",
        )


def _name(item: str | type) -> str:
    return item if isinstance(item, str) else f"{item.__module__}.{item.__qualname__}"


def _culprit(estimator: object, error: Exception) -> tuple[str, str]:
    """Return the path of the smallest part that cannot be written, and why."""
    import skops.io  # noqa: PLC0415 - heavy

    path, reason = "estimator", error
    current = estimator
    for _ in range(100):
        for place in walk(current):
            if place.parent is None or place.parent.value is not current:
                continue
            try:
                skops.io.dumps(place.value)
            except Exception as inner:  # noqa: BLE001 - skops raises whatever an object raises
                path, reason, current = path + place.path.removeprefix("estimator"), inner, place.value
                break
        else:
            break
    return path, f"{type(reason).__name__}: {reason}"
