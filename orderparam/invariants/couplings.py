"""Couplings: how secondary order parameters and strain follow from primary ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orderparam.errors import InvalidInputError
from orderparam.o3 import irreps_to_symmetric
from orderparam.parent import Parent
from orderparam.symmetry.modes import SiteRepresentation, mode_basis
from orderparam.symmetry.parentirreps import ParentIrrep, commensurate_irreps
from orderparam.symmetry.strains import strain_representation
from orderparam.symmetry.strata import Images

from .basis import group_generators, homogeneous_invariants, is_feasible
from .counts import coupling_count, degrees_of, symmetric_characters, translation_characters
from .polynomial import SECONDARY, Polynomial, component_names


@dataclass(frozen=True, eq=False)
class Coupling:
    """Invariants linear in a secondary order parameter, at the lowest degree in the primary ones.

    Attributes
    ----------
    secondary : ParentIrrep
    polynomials : tuple of Polynomial
        Components of the secondary are called ``s1``, ``s2`` ...
    by_displacements, by_strain : bool
        What can be this order parameter; without atoms only strain is known.
    """

    secondary: ParentIrrep
    polynomials: tuple[Polynomial, ...]
    by_displacements: bool
    by_strain: bool

    @property
    def degree(self) -> int:
        """Total degree, the secondary's one included: 3 for a trilinear coupling."""
        return self.polynomials[0].degree

    def strain_tensors(self, parent: Parent) -> np.ndarray:
        """Return the strain (copies, dimension, 3, 3), parent's Cartesian frame, that each component stands for."""
        basis = mode_basis(strain_representation(parent), self.secondary)
        n = self.secondary.dimension
        units = np.eye(basis.copies * n).reshape(-1, basis.copies, n)
        tensors = [irreps_to_symmetric(basis.fields(unit)[0, 0].real) for unit in units]
        return np.array(tensors).reshape(basis.copies, n, 3, 3)


def find_couplings(
    parent: Parent, irreps: Sequence[ParentIrrep], degree: int, *, force: bool = False
) -> tuple[Coupling, ...]:
    """Return what follows from primary order parameters by couplings up to a total degree, lowest first.

    A term s f(p) that is linear in s makes s = -f'(p) / stiffness as soon as p is there. All irreps commensurate with
    the primary ones are tried; of a structure those that its displacements or its strain can have.

    Examples
    --------
    >>> from orderparam.parent import abstract_parent
    >>> from orderparam.symmetry.parentirreps import named_irrep
    >>> parent = abstract_parent(221)
    >>> tilts = [named_irrep(parent, "M3+"), named_irrep(parent, "R4+")]
    >>> found = {c.secondary.label: c for c in find_couplings(parent, tilts, 3)}
    >>> list(found)
    ['GM1+', 'GM3+', 'GM5+', 'X1+', 'X5+', 'M4+']
    >>> print(found["GM1+"].polynomials[0])
    p1^2 s1 + p2^2 s1 + p3^2 s1
    """
    found, left_out = feasible_couplings(parent, irreps, degree, force=force)
    if left_out:
        told = ", ".join(f"{irrep.label} (degree {total})" for irrep, total in left_out)
        raise InvalidInputError(
            f"couplings with {told}: too many monomials; take a lower degree, or force=True (--force)"
        )
    return found


def feasible_couplings(
    parent: Parent, irreps: Sequence[ParentIrrep], degree: int, *, force: bool = False
) -> tuple[tuple[Coupling, ...], tuple[tuple[ParentIrrep, int], ...]]:
    """Return the couplings of `find_couplings`, and irreps with their total degree whose terms are too many to list.

    Nothing is too much with `force`.
    """
    images = Images.of(parent, irreps)
    powers, start = [], 0
    for irrep in irreps:
        block = slice(start, start + irrep.dimension)
        start += irrep.dimension
        powers.append(symmetric_characters(images.matrices[:, block, block], degree))
    strains = strain_representation(parent)
    sites = SiteRepresentation.on_sites(parent, parent.rotations_cart)
    primary = {irrep.label for irrep in irreps}
    generators = group_generators(parent, irreps)
    found, left_out = [], []
    for secondary in commensurate_irreps(images.supercell):
        gamma = not secondary.k.any()
        by_strain = gamma and strains.multiplicity(secondary) > 0
        by_displacements = bool(parent.crystal.n_sites) and _moves(parent, sites, secondary)
        if secondary.label in primary or (parent.crystal.n_sites and not (by_strain or by_displacements)):
            continue
        characters = translation_characters(secondary, images.supercell.translations)
        for total in range(1, degree):
            shares = list(degrees_of(total, len(irreps)))
            counts = coupling_count(images, characters, shares, np.array(powers))
            if any(counts):
                present = {share: count for share, count in zip(shares, counts, strict=True) if count}
                matrices = [*generators, *group_generators(parent, [secondary])]
                if force or all(is_feasible(matrices, (*degrees, 1)) for degrees in present):
                    polynomials = _terms(irreps, secondary, matrices, present)
                    found.append(Coupling(secondary, polynomials, by_displacements, by_strain))
                else:
                    left_out.append((secondary, total + 1))
                break
    return tuple(sorted(found, key=lambda c: c.degree)), tuple(left_out)


def _moves(parent: Parent, sites: SiteRepresentation, irrep: ParentIrrep) -> bool:
    """Whether displacements other than uniform translations have an irrep."""
    copies = sites.multiplicity(irrep)
    if not irrep.k.any():
        copies -= SiteRepresentation.uniform(parent, parent.rotations_cart).multiplicity(irrep)
    return copies > 0


def _terms(
    irreps: Sequence[ParentIrrep],
    secondary: ParentIrrep,
    generators: Sequence[np.ndarray],
    counts: dict[tuple[int, ...], int],
) -> tuple[Polynomial, ...]:
    names = (
        *component_names([i.dimension for i in irreps]),
        *(f"{SECONDARY}{j + 1}" for j in range(secondary.dimension)),
    )
    found = []
    for degrees, count in counts.items():
        found += homogeneous_invariants(generators, (*degrees, 1), count, names)
    return tuple(found)
