"""Artifact: what `save` writes about a model, and how it is verified before it is loaded. Works on plain folders."""

from ekiben.artifact.manifest import Manifest
from ekiben.artifact.model import Model, read, write

__all__ = ["Manifest", "Model", "read", "write"]
