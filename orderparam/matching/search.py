"""Walk through candidate cells and origins, and keep the cheap mappings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from orderparam.crystals.crystal import Crystal
from orderparam.crystals.layers import is_layer, normal_period
from orderparam.lattice import unimodular_inverse
from orderparam.niggli import niggli_reduce

from .assignment import Assignment, IdealSites
from .lattices import CandidateCell, Normals, candidate_cells

_STRAIN_WEIGHT = 1.5
_STRAIN_LEVELS = (0.05, 0.1, 0.15, 0.2)
_NEGLIGIBLE = 0.03
_CHANCE = 0.35
_SAME_LENGTH = 1e-3  # angstrom


@dataclass(frozen=True, eq=False)
class Mapping:
    """A candidate cell with its atoms assigned, and what both cost together (angstrom^2)."""

    cell: CandidateCell
    assignment: Assignment
    cost: float


@dataclass(eq=False)
class Shortlist:
    """The mappings found so far and the cost that a further one may have.

    Attributes
    ----------
    cost_ratio : float
        Multiple of the lowest cost within which a mapping is of interest.
    rho : float
        Cube root of the parent's volume per atom (angstrom): costs of (0.03 rho)^2 are nothing, and those of mappings
        that are (0.35 rho)^2 above the cheapest are what chance gives.
    """

    cost_ratio: float
    rho: float
    mappings: list[Mapping] = field(default_factory=list)
    limit: float = np.inf

    def add(self, mapping: Mapping) -> None:
        """Take one more mapping; a new cheapest one lowers the limit."""
        self.mappings.append(mapping)
        allowed = self.cost_ratio * mapping.cost + (_NEGLIGIBLE * self.rho) ** 2
        self.limit = min(self.limit, allowed, mapping.cost + (_CHANCE * self.rho) ** 2)

    def ranked(self) -> list[Mapping]:
        """Return the mappings within the limit, the cheapest first."""
        return sorted((m for m in self.mappings if m.cost <= self.limit), key=lambda m: m.cost)


def _normals(parent: tuple[Crystal, np.ndarray], child: tuple[Crystal, np.ndarray]) -> Normals | None:
    """Return how the reduced lattices of two layers stand to their normals, None for crystals."""
    if not (is_layer(parent[0]) and is_layer(child[0])):
        return None
    return Normals.of(*((normal_period(crystal), lattice) for crystal, lattice in (parent, child)))


@dataclass(frozen=True, eq=False)
class Search:
    """Parent and child in reduced bases, as the search needs them.

    Attributes
    ----------
    parent_transformation, child_transformation : (3, 3) int64
        From the callers' bases to the reduced ones.
    parent_rotations : (m, 3, 3) int64
        In the reduced basis of the parent.
    kinds : (n_child,) int64
        Species of the child's atoms as numbers, as in `sites`.
    rho : float
        Cube root of the parent's volume per atom (angstrom).
    normals : Normals or None
        How both lattices stand to the normal, where they are layers.
    """

    parent_transformation: np.ndarray
    child_transformation: np.ndarray
    parent_rotations: np.ndarray
    child_lattice: np.ndarray
    child_positions: np.ndarray
    kinds: np.ndarray
    sites: IdealSites
    rho: float
    normals: Normals | None

    @classmethod
    def prepare(cls, parent: Crystal, child: Crystal, rotations: np.ndarray, *, mirror: bool) -> Search:
        """Reduce both bases and number the species."""
        parent_lattice, t_parent = niggli_reduce(parent.lattice)
        child_lattice, t_child = niggli_reduce(child.lattice)
        inverse = unimodular_inverse(t_parent)
        number = {name: index for index, name in enumerate(sorted(set(parent.species)))}
        kinds = np.array([number[name] for name in parent.species])
        positions = -child.positions if mirror else child.positions
        return cls(
            t_parent,
            t_child,
            inverse.T @ rotations @ t_parent.T,
            child_lattice,
            positions @ unimodular_inverse(t_child),
            np.array([number[name] for name in child.species]),
            IdealSites(parent_lattice, parent.positions @ inverse, kinds),
            float(np.cbrt(abs(np.linalg.det(parent_lattice)) / len(kinds))),
            _normals((parent, parent_lattice), (child, child_lattice)),
        )

    def strain_cost(self, rms_strain: float) -> float:
        """Return (1.5 rho rms_strain)^2 in angstrom^2."""
        return (_STRAIN_WEIGHT * self.rho * rms_strain) ** 2

    def cells(self, n_cells: int, max_strain: float, shortlist: Shortlist) -> Iterator[CandidateCell]:
        """Yield candidate cells while their strain alone costs less than the limit, small strains first."""
        levels = [0.0, *(level for level in _STRAIN_LEVELS if level < max_strain), max_strain]
        for lower, upper in pairwise(levels):
            # one principal strain beyond `lower` makes the root mean square at least lower / sqrt(3)
            if self.strain_cost(lower / np.sqrt(3)) > shortlist.limit:
                return
            for cell in candidate_cells(
                self.sites.lattice,
                self.child_lattice,
                self.parent_rotations,
                n_cells=n_cells,
                max_strain=upper,
                min_strain=lower,
            ):
                if self.strain_cost(cell.rms_strain) > shortlist.limit:
                    break
                if self.normals is None or self.normals.kept_by(cell.supercell):
                    yield cell

    def mappings(self, cell: CandidateCell, shortlist: Shortlist) -> Iterator[Mapping]:
        """Yield the mappings of one candidate cell from its most promising origins, while the limit allows."""
        points = self.child_positions @ cell.supercell
        strain_cost = self.strain_cost(cell.rms_strain)
        origins = self.sites.origins(points, self.kinds, shortlist.limit - strain_cost)
        for shift, mean_square in zip(*origins, strict=True):
            if mean_square + strain_cost > shortlist.limit:
                return
            assignment = self.sites.assign(points, self.kinds, shift, cell.supercell)
            yield Mapping(cell, assignment, strain_cost + assignment.mean_square)

    def distinct(self, shortlist: Shortlist) -> list[Mapping]:
        """Keep one of the mappings that agree in all that the parent's operations do not change, the cheapest first.

        That is: the principal strains, and the lengths of the displacements and of their images under the strain.
        """
        kept: list[tuple[np.ndarray, Mapping]] = []
        for mapping in shortlist.ranked():
            strain = mapping.cell.stretch - np.eye(3)
            displacements = mapping.assignment.displacements
            lengths = [np.sort(np.linalg.norm(displacements[self.kinds == kind], axis=1)) for kind in set(self.kinds)]
            strained = np.sort(np.linalg.norm(displacements @ strain, axis=1))
            # the strains enter ten times, to be compared to 1e-4 where lengths are to 1e-3 angstrom
            invariants = np.concatenate([10 * np.linalg.eigvalsh(strain), strained, *lengths])
            if not any(np.allclose(invariants, known, rtol=0, atol=_SAME_LENGTH) for known, _ in kept):
                kept.append((invariants, mapping))
        return [mapping for _, mapping in kept]
