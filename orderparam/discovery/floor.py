"""The symmetry floor: what no function of inputs with a given symmetry can reach (Curie's principle)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orderparam.distortion import Distortion
from orderparam.supercell import Subgroup, Supercell
from orderparam.symmetry.isotropy import fixed_projector, whole_group
from orderparam.symmetry.modes import expand
from orderparam.symmetry.orderparameter import ZERO_AMPLITUDE, Decomposition, OrderParameter, projected_field


@dataclass(frozen=True, eq=False)
class Floor:
    """The part of a target that symmetric inputs leave out of reach.

    Attributes
    ----------
    group : Subgroup
        K, the symmetry of parent and inputs together.
    displacements : (n, 3) float64
        P_K u, the best that any function can give, angstrom.
    strain : (3, 3) float64
        P_K of the strain.
    max, rms : float
        Largest and root mean square length of u - P_K u, angstrom.
    strain_missed : float
        Frobenius norm of the strain's part out of reach.
    missed, strain_parts : dict
        Per irrep, what is given up: As (angstrom), and the Frobenius norm of the strain; only what is not zero.
    """

    group: Subgroup
    displacements: np.ndarray
    strain: np.ndarray
    max: float
    rms: float
    strain_missed: float
    missed: dict[str, float]
    strain_parts: dict[str, float]


def symmetry_floor(decomposition: Decomposition, group: Subgroup | None = None) -> Floor:
    """Return what of a target every function must miss whose inputs have at least the symmetry of a group.

    Stab(f(h)) contains what Stab(parent) and Stab(h) have in common. With K that common group, f(h) = P_K f(h), and the
    distance |f(h) - u| is least for f(h) = P_K u.

    Parameters
    ----------
    decomposition : Decomposition
        Of the target.
    group : Subgroup, optional
        K. Default: the parent's own group, as with no order parameter at all.

    References
    ----------
    P. Curie, J. Phys. Theor. Appl. 3, 393 (1894). T. E. Smidt, M. Geiger, B. K. Miller, Phys. Rev. Research 3, L012002
    (2021).

    Examples
    --------
    >>> from orderparam import analyse, read_crystal, symmetrise
    >>> parent = symmetrise(read_crystal("structures/perovskite/SrTiO3_221.cif"))
    >>> found = analyse(parent, read_crystal("structures/perovskite/SrTiO3_140.cif"))
    >>> floor = symmetry_floor(found.decomposition)
    >>> {label: round(size, 4) for label, size in floor.missed.items()}
    {'R4+': 0.3303}
    """
    distortion = decomposition.distortion
    group = whole_group(distortion.supercell) if group is None else group
    displacements, strain = projected_field(decomposition, group)
    lengths = np.linalg.norm(distortion.displacements - displacements, axis=1)
    return Floor(
        group=group,
        displacements=displacements,
        strain=strain,
        max=float(lengths.max()),
        rms=float(np.sqrt((lengths**2).mean())),
        strain_missed=float(np.linalg.norm(distortion.strain - strain)),
        missed=_given_up(decomposition.displacive, group, float(np.sqrt(distortion.supercell.n_cells))),
        strain_parts=_given_up(decomposition.strain, group, 1.0),
    )


def floor_in_own_cell(decomposition: Decomposition, floor: Floor) -> Distortion:
    """Return P_K of the target in the primitive cell of K, which need not keep the child's lattice."""
    parent, group = decomposition.distortion.supercell.parent, floor.group
    cell = Supercell.build(parent, group.lattice_basis)
    displacements = np.zeros((cell.n_atoms, 3))
    for o in decomposition.displacive:
        displacements += expand(o.basis, cell, o.components @ fixed_projector(o.irrep, group))
    elements = np.zeros((parent.group.order, cell.n_cells), bool)
    operations, shifts = group.pairs.T
    elements[operations, cell.quotient.index(group.supercell.translations[shifts])] = True
    return Distortion(cell, displacements - displacements.mean(axis=0), floor.strain, Subgroup(cell, elements))


def _given_up(order_parameters: tuple[OrderParameter, ...], group: Subgroup, scale: float) -> dict[str, float]:
    found = {}
    for o in order_parameters:
        lost = o.components - o.components @ fixed_projector(o.irrep, group)
        size = float(np.linalg.norm(lost))
        if size > ZERO_AMPLITUDE:
            found[o.label] = size * scale
    return found
