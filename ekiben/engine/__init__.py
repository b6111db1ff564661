"""Engine: rows in, predictions out."""

from ekiben.engine.engine import Engine
from ekiben.engine.native import NativeEngine
from ekiben.engine.predictions import Predictions, positive_index

__all__ = ["Engine", "NativeEngine", "Predictions", "positive_index"]
