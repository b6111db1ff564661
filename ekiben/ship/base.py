"""Base: what an image stands on."""

from __future__ import annotations

import sys

from bentoml.images import Image


def slim_image(python: str | None = None) -> Image:
    """Return the definition of an image that holds Python and nothing that only builds things.

    BentoML's own default installs compilers and git into every image, for packages that have to be built; all that
    Ekiben needs comes built, so 250 MB and their weak points stay out. Python packages are still those of the
    `bentofile.yaml`.

    Args:
        python: The version, `3.11` to `3.13`; by default the one that runs this.

    Example:
        >>> slim_image("3.12").base_image
        'python:3.12-slim'
    """
    version = python or f"{sys.version_info.major}.{sys.version_info.minor}"
    # Without a distribution no package manager is run; BentoML would do that for a base image that is named, too.
    return Image(base_image=f"python:{version}-slim", distro="", python_version=version)
