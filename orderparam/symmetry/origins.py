"""The names that irreps have when another atom stands at the parent's origin.

A standard setting leaves the origin to a choice among the translations of the group's normaliser. Moving it by q turns
{W|w} into {W|w + (W - 1) q}, which permutes the irreps: the octahedral tilt R4+ of a perovskite with the B cation at
the origin is R5- with the A cation there. Both names are in use.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from orderparam.frame import ORIGIN_TOLERANCE, normaliser_translations
from orderparam.parent import Parent

from .parentirreps import ParentIrrep, irreps_of_parent


@dataclass(frozen=True)
class OriginNames:
    """Names with another atom at the origin.

    Attributes
    ----------
    atom : str
        Site label of the atom that would stand at the origin.
    shift : tuple of 3 float
        Its place, fractional in the parent's conventional cell.
    labels : dict
        Name there by name here, for the irreps whose names differ.
    """

    atom: str
    shift: tuple[float, float, float]
    labels: dict[str, str]


def names_at_other_origins(parent: Parent, irreps: list[ParentIrrep]) -> tuple[OriginNames, ...]:
    """Return how irreps are called with other atoms at the origin; origins that change no name are left out.

    Examples
    --------
    >>> from orderparam import read_crystal, symmetrise
    >>> from orderparam.symmetry.parentirreps import named_irrep
    >>> parent = symmetrise(read_crystal("structures/perovskite/LaMnO3_221.cif"))
    >>> (names,) = names_at_other_origins(parent, [named_irrep(parent, "R4+"), named_irrep(parent, "M3+")])
    >>> names.atom, names.labels
    ('La1', {'R4+': 'R5-', 'M3+': 'M2+'})
    """
    crystal = parent.crystal
    translations = normaliser_translations(parent.group)
    found: dict[str, OriginNames] = {}
    for q in translations[np.argsort(np.linalg.norm(translations @ parent.lattice, axis=1), kind="stable")]:
        gaps = crystal.positions - q
        lengths = np.linalg.norm((gaps - np.rint(gaps)) @ parent.lattice, axis=1)
        atom = crystal.labels[int(lengths.argmin())]
        if not q.any() or lengths.min() > ORIGIN_TOLERANCE or atom in found or atom == parent.origin_atom:
            continue
        names = {irrep.label: _renamed(parent, irrep, q) for irrep in irreps}
        changed = {old: new for old, new in names.items() if new != old}
        if changed:
            place = q @ np.linalg.inv(parent.conventional)
            place = place - np.floor(place + 1e-9)
            found[atom] = OriginNames(atom, (float(place[0]), float(place[1]), float(place[2])), changed)
    return tuple(found.values())


def _renamed(parent: Parent, irrep: ParentIrrep, q: np.ndarray) -> str:
    """Return the name of an irrep after the origin has moved to q (primitive basis)."""
    rotations = parent.group.rotations
    k = irrep.k[0]
    images = k @ np.linalg.inv(rotations) - k
    little = np.flatnonzero((np.abs(images - np.rint(images)) < 1e-6).all(axis=1))
    shifts = np.rint((rotations[little] - np.eye(3, dtype=int)) @ q)
    wanted = np.exp(-2j * np.pi * shifts @ k) * _characters(irrep, little)[0]
    denominator = next(d for d in range(1, 1000) if np.abs(k * d - np.rint(k * d)).max() < 1e-6)
    for candidate in irreps_of_parent(parent, np.rint(k * denominator).astype(int), denominator):
        if any(np.allclose(own, wanted, atol=1e-4) for own in _characters(candidate, little)):
            return replace(candidate, place=irrep.place).label
    return irrep.label


def _characters(irrep: ParentIrrep, little: np.ndarray) -> list[np.ndarray]:
    """Return the characters of the little group on the first arm; for a joined pair those of both members."""
    small = irrep.irrep.small_dimension
    blocks = np.einsum("ciaia->ci", irrep.complex_matrices[little].reshape(len(little), len(irrep.k), small, -1, small))
    gaps = irrep.k + irrep.k[0]
    opposite = np.flatnonzero((np.abs(gaps - np.rint(gaps)) < 1e-6).all(axis=1))
    return [blocks[:, 0], *(blocks[:, arm].conj() for arm in opposite if irrep.irrep.kind == 0)]
