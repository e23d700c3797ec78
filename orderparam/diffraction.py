"""Which X-ray lines show which order parameter.

A child's reflections lie at parent indices plus the wave vectors of its order parameters. Lines at k = 0 are the
parent's own; the others are superlattice lines. How much of a line an irrep carries follows from taking its
displacements away: ``1 - I(without) / I``.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from .crystals.crystal import Crystal
from .crystals.layers import is_layer
from .discovery.analyse import Analysis
from .errors import InvalidInputError
from .powder import Peak, powder_pattern
from .symmetry.orderparameter import OrderParameter

COPPER = 1.54184
"""Mean wavelength of Cu K alpha, angstrom."""

_FAINT = 1e-4


@dataclass(frozen=True)
class Reflection:
    """One powder line of the child.

    Attributes
    ----------
    two_theta, spacing : float
        Degrees, angstrom.
    intensity : float
        The strongest line of the child has 100.
    child_indices : (h, k, l)
        In the child's primitive cell as the correspondence has it.
    parent_indices : (h, k, l) of Fraction
        The same in the parent's conventional cell.
    is_superlattice : bool
        Whether the parent's lattice has no such reflection.
    at_wave_vector_of : tuple of str
        Irreps whose wave vectors make this line possible.
    shares : dict
        Part of the intensity that goes when the displacements of an irrep are taken away, by label; negative where the
        irrep weakens the line.
    """

    two_theta: float
    spacing: float
    intensity: float
    child_indices: tuple[int, int, int]
    parent_indices: tuple[Fraction, Fraction, Fraction]
    is_superlattice: bool
    at_wave_vector_of: tuple[str, ...]
    shares: dict[str, float]


def find_reflections(
    analysis: Analysis, *, wavelength: float = COPPER, largest: float = 90.0
) -> tuple[Reflection, ...]:
    """Return the child's powder lines up to 2 theta = `largest` degrees, with what every order parameter adds.

    Raises
    ------
    InvalidInputError
        For a layer: its lines along the normal would be those of the vacuum.
    """
    distortion = analysis.relation.distortion
    if is_layer(distortion.supercell.parent.crystal):
        raise InvalidInputError("--xrd: a layer has no powder lines; --periodic abc takes its cell as a crystal's")
    moved = [o for o in analysis.decomposition.displacive if not o.is_zero]
    options = {"wavelength": wavelength, "largest": largest}
    child = [p for p in powder_pattern(distortion.crystal(), **options) if p.intensity > 0]
    strongest = max((p.intensity for p in child), default=1.0)
    without = {o.label: _by_indices(powder_pattern(_without(analysis, o), **options)) for o in moved}
    found = []
    for peak in child:
        if peak.intensity < _FAINT * strongest:
            continue
        indices = peak.indices[0]
        q = np.linalg.inv(distortion.supercell.matrix) @ np.array(indices)  # in the parent's primitive reciprocal basis
        shares = {}
        for label, lines in without.items():
            rest = lines.get(indices, 0.0)
            shares[label] = float(1 - rest / peak.intensity)
        conventional = distortion.supercell.parent.k_conventional(q)
        h, k, m = (Fraction(float(v)).limit_denominator(48) for v in conventional)
        found.append(
            Reflection(
                two_theta=peak.two_theta,
                spacing=peak.spacing,
                intensity=100 * peak.intensity / strongest,
                child_indices=indices,
                parent_indices=(h, k, m),
                is_superlattice=bool(np.abs(q - np.rint(q)).max() > 1e-6),
                at_wave_vector_of=tuple(o.label for o in moved if _has_arm(o, q)),
                shares=shares,
            )
        )
    return tuple(found)


def superlattice_positions(analysis: Analysis) -> dict[str, list[tuple[str, ...]]]:
    """Return, for every irrep away from Gamma, where new reflections appear: indices of the parent plus these vectors.

    Only the arms of the star that the child's order parameter really has are listed, conventional basis.
    """
    parent = analysis.relation.parent
    return {
        o.label: [tuple(parent.k_text(arm).split(",")) for arm in o.active_arms()]
        for o in analysis.decomposition.displacive
        if not o.is_zero and o.irrep.k.any()
    }


def reflection_rows(reflections: tuple[Reflection, ...]) -> list[dict[str, Any]]:
    """Return the reflections as plain rows for CSV and JSON."""
    return [
        {
            "two_theta": r.two_theta,
            "d": r.spacing,
            "intensity": r.intensity,
            "child_hkl": " ".join(map(str, r.child_indices)),
            "parent_hkl": " ".join(map(str, r.parent_indices)),
            "superlattice": r.is_superlattice,
            "k_of": " ".join(r.at_wave_vector_of),
            **{f"share {label}": share for label, share in r.shares.items()},
        }
        for r in reflections
    ]


def _without(analysis: Analysis, o: OrderParameter) -> Crystal:
    """Return the child without the displacements of one irrep."""
    distortion = analysis.relation.distortion
    return distortion.supercell.with_displacements(distortion.displacements - o.field(), distortion.strain)


def _by_indices(peaks: tuple[Peak, ...]) -> dict[tuple[int, int, int], float]:
    return {indices: peak.intensity for peak in peaks for indices in peak.indices}


def _has_arm(o: OrderParameter, q: np.ndarray) -> bool:
    arms = np.concatenate([o.irrep.k, -o.irrep.k])
    gaps = arms - q
    return bool((np.abs(gaps - np.rint(gaps)) < 1e-6).all(axis=1).any())
