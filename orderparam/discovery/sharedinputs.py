"""Inputs that all points of a finite set share: what each can break, and what it must leave."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orderparam.o3 import Irrep
from orderparam.supercell import Subgroup
from orderparam.symmetry.carriers import site_irreps
from orderparam.symmetry.isotropy import fixed_space, stabiliser, whole_group
from orderparam.symmetry.parentirreps import commensurate_irreps

from .analyse import Analysis
from .floor import symmetry_floor


@dataclass(frozen=True, eq=False)
class SharedInput:
    """One irrep of O(3) as an input that all points share.

    Attributes
    ----------
    irrep : Irrep
    n_free : int
        Numbers that the child's group allows.
    holds : tuple of str
        Irreps of the parent's group that these make up.
    group : Subgroup
        What all of them leave of the parent's group.
    floor_max : float
        Largest displacement that every function of this input must miss, angstrom.
    """

    irrep: Irrep
    n_free: int
    holds: tuple[str, ...]
    group: Subgroup
    floor_max: float


def shared_inputs(analysis: Analysis) -> tuple[SharedInput, ...]:
    """Return every shared input up to l = 3 with its exact symmetry floor.

    Examples
    --------
    >>> import numpy as np
    >>> from orderparam.discovery.pointrelation import analyse_points
    >>> from orderparam.pointparent import symmetrise_points
    >>> from orderparam.crystals.pointset import PointSet
    >>> corners = np.array([[1.0, 1, 0], [-1, 1, 0], [-1, -1, 0], [1, -1, 0]])
    >>> square, rectangle = (PointSet(corners * size, ("C",) * 4) for size in ([1, 1, 1], [1.3, 0.7, 1]))
    >>> found = shared_inputs(analyse_points(symmetrise_points(square), rectangle))
    >>> {str(s.irrep): round(s.floor_max, 4) for s in found if s.irrep.l < 3}
    {'0e': 0.4243, '0o': 0.4243, '1e': 0.4243, '1o': 0.4243, '2e': 0.0, '2o': 0.4243}
    """
    distortion = analysis.relation.distortion
    supercell, child = distortion.supercell, distortion.group
    found = []
    for shared in site_irreps(supercell.parent, uniform=True):
        group, holds, n_free = whole_group(supercell), [], 0
        for irrep in commensurate_irreps(supercell):
            copies = shared.representation().multiplicity(irrep)
            allowed = fixed_space(irrep, child)
            if copies and len(allowed):
                group = group & stabiliser(supercell, irrep, allowed)
                holds.append(irrep.label)
                n_free += copies * len(allowed)
        floor = symmetry_floor(analysis.decomposition, group)
        found.append(SharedInput(shared.irrep, n_free, tuple(holds), group, float(np.round(floor.max, 14))))
    return tuple(found)
