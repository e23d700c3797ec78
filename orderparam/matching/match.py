"""Find the correspondence between the atoms of a parent and those of its distorted child."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np

from orderparam.crystals.crystal import Crystal
from orderparam.errors import MatchingError
from orderparam.lattice import unimodular_inverse
from orderparam.wording import counted

from .composition import compare_compositions
from .search import Mapping, Search, Shortlist

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Correspondence:
    """Which atom of the child comes from which site of the parent, and by which distortion.

    The child is rebuilt as ``L_child^T = R U (S L_parent)^T`` and, in fractional coordinates of the parent,
    ``x_child S + origin_shift = x_parent[parent_sites] + parent_cells + displacements L_parent^-1``, where x_child is
    replaced by -x_child if `mirrored`.

    Attributes
    ----------
    supercell : (3, 3) int64
        S, rows: the child's primitive vectors in the parent's primitive basis.
    rotation : (3, 3) float64
        R, proper, Cartesian, from the parent's to the child's frame.
    stretch : (3, 3) float64
        U, symmetric, in the parent's frame.
    origin_shift : (3,) float64
        The child's origin, fractional in the parent's primitive basis.
    parent_sites : (n,) int64
        Child atom i sits on this site of the parent ...
    parent_cells : (n, 3) int64
        ... in this primitive cell.
    displacements : (n, 3) float64
        Cartesian in the parent's frame, angstrom, in the unstrained metric of the parent, mean zero.
    cost : float
        Mean square displacement + (1.5 rho rms_strain)^2 with rho^3 the parent's volume per atom (angstrom^2).
    mirrored : bool
        The child was inverted first: its handedness is opposite to the parent's.
    """

    supercell: np.ndarray
    rotation: np.ndarray
    stretch: np.ndarray
    origin_shift: np.ndarray
    parent_sites: np.ndarray
    parent_cells: np.ndarray
    displacements: np.ndarray
    cost: float
    mirrored: bool = False

    @property
    def strain(self) -> np.ndarray:
        """Strain (3, 3) U - 1, in the parent's frame."""
        return self.stretch - np.eye(3)

    @property
    def rms_strain(self) -> float:
        """Root mean square of the principal strains."""
        return float(np.linalg.norm(self.strain) / np.sqrt(3))

    @property
    def rms(self) -> float:
        """Root mean square displacement (angstrom)."""
        return float(np.sqrt(np.mean(np.sum(self.displacements**2, axis=1))))

    @property
    def max_displacement(self) -> float:
        """Largest displacement (angstrom)."""
        return float(np.linalg.norm(self.displacements, axis=1).max())


def match(
    parent: Crystal,
    child: Crystal,
    parent_rotations: np.ndarray,
    *,
    max_strain: float = 0.25,
    max_displacement: float = 3.0,
    mirror: bool = False,
    keep: int = 12,
    cost_ratio: float = 6.0,
) -> tuple[Correspondence, ...]:
    """Find the correspondences between parent and child, the cheapest first.

    Candidate cells come in order of strain; the search ends when the strain alone costs more than the costliest mapping
    that would be returned. Mappings that a symmetry of the parent or of the child turns into one another count once.

    Parameters
    ----------
    parent, child : Crystal
        Primitive cells, in any setting, origin, order of atoms and orientation.
    parent_rotations : (m, 3, 3) int
        The parent's point group, on fractional columns of its primitive basis.
    max_strain : float
        Bound of the principal strains. The path from bcc to alpha uranium needs 0.20, the Bain path 0.21.
    max_displacement : float
        Bound of the displacements (angstrom).
    mirror : bool
        Invert the child first (x -> -x). Makes a difference only if the parent has no improper operation.
    keep : int
        Return at most so many mappings.
    cost_ratio : float
        Return only mappings that cost at most this multiple of the cheapest plus (0.03 rho)^2, and at most (0.35 rho)^2
        more than the cheapest.

    Raises
    ------
    MatchingError
        If the compositions differ or no mapping stays within the bounds.
    """
    n_cells = compare_compositions(parent.species, child.species)
    search = Search.prepare(parent, child, np.asarray(parent_rotations), mirror=mirror)
    shortlist = Shortlist(cost_ratio, search.rho)
    for cell in search.cells(n_cells, max_strain, shortlist):
        for mapping in search.mappings(cell, shortlist):
            if np.linalg.norm(mapping.assignment.displacements, axis=1).max() <= max_displacement:
                shortlist.add(mapping)
    if not shortlist.mappings:
        raise MatchingError(
            f"no mapping of the child's {counted(len(child.species), 'atom')} onto the parent keeps every "
            f"principal strain within {max_strain:.0%} and every displacement within {max_displacement:g} angstrom: "
            "are the two structures related? --max-strain and --max-displacement allow more"
        )
    _logger.debug("%d mappings tried", len(shortlist.mappings))
    return tuple(_correspondence(mapping, search, mirrored=mirror) for mapping in search.distinct(shortlist)[:keep])


def _correspondence(mapping: Mapping, search: Search, *, mirrored: bool) -> Correspondence:
    """Return a mapping in the bases of the caller."""
    cell, assignment = mapping.cell, mapping.assignment
    shift = assignment.shift @ search.parent_transformation
    whole = np.floor(shift + 1e-9).astype(np.int64)
    return Correspondence(
        supercell=unimodular_inverse(search.child_transformation) @ cell.supercell @ search.parent_transformation,
        rotation=cell.rotation,
        stretch=cell.stretch,
        origin_shift=shift - whole,
        parent_sites=assignment.sites,
        parent_cells=assignment.cells @ search.parent_transformation - whole,
        displacements=assignment.displacements,
        cost=mapping.cost,
        mirrored=mirrored,
    )
