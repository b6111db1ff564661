"""Signature: what a model takes and what it answers.

Inferred once from the data of training, stored with the model, and shared by all stages: it decodes and validates
requests, describes them as JSON Schema, builds the frames that pipelines are fed, and checks tables to be scored.
"""

from ekiben.signature.cell import Cell
from ekiben.signature.checked import Checked
from ekiben.signature.column import QUANTILES, Category, Column, Kind, Value
from ekiben.signature.decoder import Decoder, Request
from ekiben.signature.output import Field, Label, Output, OutputKind
from ekiben.signature.signature import PROTOCOL, Signature

__all__ = [
    "PROTOCOL",
    "QUANTILES",
    "Category",
    "Cell",
    "Checked",
    "Column",
    "Decoder",
    "Field",
    "Kind",
    "Label",
    "Output",
    "OutputKind",
    "Request",
    "Signature",
    "Value",
]
