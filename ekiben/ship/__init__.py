"""Ship: the image that a service travels in."""

from ekiben.ship.base import slim_image
from ekiben.ship.image import BuiltImage, build_image

__all__ = ["BuiltImage", "build_image", "slim_image"]
