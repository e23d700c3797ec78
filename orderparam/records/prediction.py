"""The record of a prediction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from orderparam.discovery.prediction import Image, Predictor
from orderparam.distortion import Distortion
from orderparam.spacegroup import report_symmetry
from orderparam.symmetry.orderparameter import decompose

from .files import VERSION, versions

PREDICTION_SCHEMA = "orderparam/prediction"
SYMPREC = 1e-4


def prediction_record(
    predictor: Predictor, wanted: Mapping[str, np.ndarray], distortion: Distortion, file: str
) -> dict[str, Any]:
    """Return the public record of one predicted structure (schema ``orderparam/prediction``)."""
    found = decompose(distortion)
    return {
        **_head(predictor, wanted),
        "images": [
            {
                **_structure(distortion, file),
                "s": None,
                "irreps": [
                    {"label": o.label, "direction": o.direction, "amplitude_supercell": o.amplitude_supercell,
                     "amplitude_parent": o.amplitude}
                    for o in found.displacive if not o.is_zero
                ],
                "strain_irreps": [
                    {"label": o.label, "amplitude": o.amplitude} for o in found.strain if not o.is_zero
                ],
            }
        ],
        "warnings": list(predictor.warnings(wanted)),
    }  # fmt: skip


def path_record(predictor: Predictor, path: Sequence[Image], files: Sequence[str]) -> dict[str, Any]:
    """Return the public record of a path from parent to child (schema ``orderparam/prediction``)."""
    degrees = {f.label: f.degree for f in predictor.followers()}
    return {
        **_head(predictor, predictor.child.components),
        "images": [
            {
                **_structure(image.distortion, file),
                "s": image.s,
                "irreps": [
                    {
                        "label": label,
                        "degree": degrees[label],
                        "amplitude_supercell": size,
                        "power_law": image.power_law[label],
                        "linear": image.linear[label],
                    }
                    for label, size in image.amplitudes.items()
                ],
                "from_power_law": image.from_power_law,
                "from_linear": image.from_linear,
            }
            for image, file in zip(path, files, strict=True)
        ],
        "warnings": [],
    }


def _head(predictor: Predictor, wanted: Mapping[str, np.ndarray]) -> dict[str, Any]:
    several = len(predictor.family.members) > 1
    return {
        "schema": PREDICTION_SCHEMA,
        "version": VERSION,
        "inputs": [
            {
                "label": given.label,
                "components": np.asarray(wanted[given.label]).tolist(),
                "trained": None if several else predictor.child.components[given.label].tolist(),
                "trained_range": list(predictor.ranges[given.label]),
            }
            for given in predictor.inputs
        ],
        "carrier": predictor.family.carrier.name,
        "versions": versions(),
    }


def _structure(distortion: Distortion, file: str) -> dict[str, Any]:
    report = report_symmetry(distortion.crystal(), SYMPREC)
    return {
        "file": file,
        "space_group": {"number": report.number, "symbol": report.symbol},
        "atoms": distortion.supercell.n_atoms,
        "max_displacement": float(distortion.lengths.max()),
        "strain": distortion.strain.tolist(),
    }
