"""Estimates from charges: bond-valence sums, and the polarisation of point charges."""

from __future__ import annotations

from dataclasses import dataclass
from math import copysign

import numpy as np

from orderparam.crystals.crystal import Crystal
from orderparam.crystals.valence import bond_valence_sums, formal_charges
from orderparam.distortion import Distortion
from orderparam.errors import InvalidInputError
from orderparam.spacegroup import reduced_cell

ELEMENTARY_CHARGE = 1602.176634
"""One electron charge per square angstrom in microcoulomb per square centimetre."""


@dataclass(frozen=True)
class ValenceSum:
    """Bond-valence sum of an orbit of the child's atoms.

    Attributes
    ----------
    label, species : str
        The child's site label.
    multiplicity : int
        Atoms of the orbit in the child's primitive cell.
    valence : float
        With the sign of the formal charge: cations +, anions -. Where no charge is known, - for what is the more
        electronegative in most of its bonds.
    formal_charge : float or None
        Guessed from the composition: cations +, anions -.
    """

    label: str
    species: str
    multiplicity: int
    valence: float
    formal_charge: float | None


@dataclass(frozen=True, eq=False)
class Polarisation:
    """Polarisation that formal point charges give: an estimate; Born charges are often larger.

    Attributes
    ----------
    vector : (3,)
        Relative to the parent, along the parent's axes, microcoulomb per square centimetre.
    quantum : (3,)
        ``e |t_i| / V`` along the three shortest translations t_i of the child: the vector is defined modulo these.
    charges : dict
        Formal charge of every species.
    parent_is_polar : bool
        Then the vector is only the change.
    """

    vector: np.ndarray
    quantum: np.ndarray
    charges: dict[str, float]
    parent_is_polar: bool

    @property
    def size(self) -> float:
        """Length of the vector, microcoulomb per square centimetre."""
        return float(np.linalg.norm(self.vector))


def valence_sums(crystal: Crystal, orbits: list[np.ndarray], labels: tuple[str, ...]) -> tuple[ValenceSum, ...]:
    """Return the bond-valence sum of every orbit; orbits without parameters are left out.

    A sum and the charge beside it have one sign, that of the kind of ion. Electronegativities alone would call tungsten
    the anion of WAs2.
    """
    sums = bond_valence_sums(crystal)
    try:
        charges = formal_charges(crystal)
    except InvalidInputError:
        charges = None
    return tuple(
        ValenceSum(
            labels[orbit[0]],
            crystal.species[orbit[0]],
            len(orbit),
            _signed(float(sums[orbit[0]]), 0.0 if charges is None else float(charges[orbit[0]])),
            None if charges is None else float(charges[orbit[0]]),
        )
        for orbit in orbits
        if np.isfinite(sums[orbit[0]]) and abs(sums[orbit[0]]) > 1e-6
    )


def _signed(valence: float, charge: float) -> float:
    """Return a valence with the sign of the charge; as it is where there is no charge."""
    return copysign(valence, charge) if charge else valence


def polar_directions(rotations: np.ndarray) -> np.ndarray:
    """Return the projector (3, 3) onto the directions invariant under Cartesian point operations (n, 3, 3)."""
    return rotations.mean(axis=0)


def is_polar(rotations: np.ndarray) -> bool:
    """Return whether some direction is invariant under all point operations."""
    return bool(np.abs(polar_directions(rotations)).max() > 1e-9)


def estimate_polarisation(distortion: Distortion, axes: np.ndarray) -> Polarisation:
    """Return the polarisation of formal point charges, ``P = e / V sum_i q_i u_i`` over the child's primitive cell.

    u_i are the displacements out of the parent in the child's metric, V the child's volume.

    Raises
    ------
    InvalidInputError
        When no formal charges balance the composition.
    """
    crystal = distortion.crystal()
    charges = formal_charges(crystal)
    # a common shift of all atoms must not count where a rounded mixture is not quite neutral
    moved = (charges - charges.mean()) @ distortion.displacements @ (np.eye(3) + distortion.strain)
    parent = distortion.supercell.parent
    # shortest in the child's metric: strain may choose others than the parent's
    translations = reduced_cell(distortion.group.lattice_basis @ parent.lattice @ (np.eye(3) + distortion.strain))
    return Polarisation(
        vector=ELEMENTARY_CHARGE * axes @ moved / crystal.volume,
        quantum=ELEMENTARY_CHARGE * np.linalg.norm(translations, axis=1) / abs(np.linalg.det(translations)),
        charges={kind: float(charge) for kind, charge in sorted(zip(crystal.species, charges, strict=True))},
        parent_is_polar=is_polar(parent.rotations_cart),
    )
