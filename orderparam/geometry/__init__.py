"""Octahedra, tilts, bonds and charges: a distortion in the words of crystal chemistry.

`describe_geometry` takes a pair as `orderparam.discovery.relate` returns it. The octahedra are those of the *parent*,
found by coordination and carried to the child atom by atom, so that they stay what they are however distorted.
"""

from .describe import Geometry, Octahedron, describe_geometry
from .record import geometry_record

__all__ = ["Geometry", "Octahedron", "describe_geometry", "geometry_record"]
