"""Serve: requests in, answers out: the service, the front door before it, and what both have in common."""

from ekiben.serve.front_door import FrontDoor
from ekiben.serve.limits import Limits
from ekiben.serve.service import Service

__all__ = ["FrontDoor", "Limits", "Service"]
