"""The record of structures built from order parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from orderparam.distortion import Distortion

from .directions import group_record
from .files import VERSION

DISTORT_SCHEMA = "orderparam/distort"


def distort_record(
    distortion: Distortion, order_parameters: Mapping[str, Any], files: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the public record of built structures (schema ``orderparam/distort``)."""
    number, symbol = distortion.group.space_group
    return {
        "schema": DISTORT_SCHEMA,
        "version": VERSION,
        "parent": group_record(distortion.supercell.parent),
        "order_parameters": {label: np.atleast_2d(values).tolist() for label, values in order_parameters.items()},
        "strain": distortion.strain.tolist(),
        "space_group": {"number": number, "symbol": symbol},
        "index": distortion.group.index,
        "size": distortion.supercell.n_cells,
        "n_atoms": distortion.supercell.n_atoms,
        "max_displacement": float(distortion.lengths.max()),
        "files": [dict(row) for row in files],
    }
