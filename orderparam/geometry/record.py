"""The block ``"geometry"`` of the public records."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from .describe import Geometry


def geometry_record(geometry: Geometry) -> dict[str, Any]:
    """Return a geometry as plain values for JSON: angstrom, degrees, microcoulomb per square centimetre."""
    polarisation = geometry.polarisation
    record = {
        "axes": geometry.axes,
        "axis_names": geometry.axis_names,
        "reason": geometry.reason,
        "dimension": geometry.dimension,
        "glazer": asdict(geometry.glazer) if geometry.glazer else None,
        "glazer_reason": geometry.glazer_reason,
        "tilts": [asdict(tilt) for tilt in geometry.tilts],
        "van_vleck_axis": geometry.van_vleck_axis,
        "octahedra": [{**asdict(o), "angle": o.angle} for o in geometry.octahedra],
        "bridges": [asdict(bridge) for bridge in geometry.bridges],
        "hole_ions": [asdict(ion) for ion in geometry.hole_ions],
        "irrep_rotations": [asdict(rotation) for rotation in geometry.irrep_rotations],
        "valence_sums": [asdict(found) for found in geometry.valence_sums],
        "polarisation": {**asdict(polarisation), "size": polarisation.size} if polarisation else None,
        "polarisation_reason": geometry.polarisation_reason,
    }
    return _plain(record)


def _plain(value: Any) -> Any:
    """Return a value with arrays as lists and tuples as lists."""
    if isinstance(value, np.ndarray):
        return (value + 0.0).tolist()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
