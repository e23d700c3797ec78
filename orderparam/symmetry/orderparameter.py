"""Order parameters of a distortion: the exact decomposition of displacements and strain into irreps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from orderparam.distortion import Distortion
from orderparam.o3 import irreps_to_symmetric, symmetric_to_irreps
from orderparam.shown import html_of
from orderparam.supercell import Subgroup, Supercell

from .isotropy import direction_symbol, fixed_projector, fixed_space, stabiliser, whole_group
from .modes import ModeBasis, SiteRepresentation, expand, mode_basis
from .parentirreps import ParentIrrep, commensurate_irreps, irreps_of_parent
from .sitegroups import displacement_blocks

ZERO_AMPLITUDE = 1e-5
"""An order parameter below this (angstrom, or strain) is zero."""


@dataclass(frozen=True, eq=False)
class OrderParameter:
    """The part of a field that transforms as one irrep.

    Attributes
    ----------
    basis : ModeBasis
        The modes that the components refer to.
    supercell : Supercell
    components : (copies, dimension)
        Ap: per primitive cell of the parent, angstrom (strain: no unit).
    n_modes : int
        Number of independent modes that the child's group allows, uniform translations (and turns of a finite set)
        left out.
    """

    basis: ModeBasis
    supercell: Supercell
    components: np.ndarray
    n_modes: int

    @property
    def irrep(self) -> ParentIrrep:
        """The irrep."""
        return self.basis.irrep

    @property
    def label(self) -> str:
        """Label of the irrep."""
        return self.irrep.label

    @property
    def amplitude(self) -> float:
        """Ap: norm of the components, per primitive cell of the parent."""
        return float(np.linalg.norm(self.components))

    @property
    def amplitude_supercell(self) -> float:
        """As: norm over the child's primitive cell, Ap sqrt(n_cells)."""
        return self.amplitude * float(np.sqrt(self.supercell.n_cells))

    @property
    def is_zero(self) -> bool:
        """Whether the child's group allows the irrep but it has no amplitude."""
        return self.amplitude < ZERO_AMPLITUDE

    @cached_property
    def subgroup(self) -> Subgroup:
        """Isotropy subgroup."""
        if self.is_zero:
            return whole_group(self.supercell)
        return stabiliser(self.supercell, self.irrep, self.components)

    @cached_property
    def direction(self) -> str:
        """Symbol of the direction, in its canonical domain."""
        return "" if self.is_zero else direction_symbol(self.irrep, self.subgroup)

    def field(self) -> np.ndarray:
        """Return this part of the field on the supercell's atoms (n, d)."""
        return expand(self.basis, self.supercell, self.components)

    def active_arms(self) -> np.ndarray:
        """Return the arms of the star (m, 3), primitive reciprocal basis, at which the field has a part."""
        if self.is_zero:
            return self.irrep.k[:0]
        weights = (np.abs(self.supercell.fourier(self.field(), self.irrep.k)) ** 2).sum(axis=(1, 2))
        return self.irrep.k[weights > 1e-8 * weights.max()]

    def __str__(self) -> str:
        return f"{self.label} {self.direction} {self.amplitude_supercell:.4f}"

    __repr__ = __str__
    _repr_html_ = html_of


@dataclass(frozen=True, eq=False)
class Decomposition:
    """A distortion as a sum of order parameters.

    Attributes
    ----------
    distortion : Distortion
    displacive : tuple of OrderParameter
        Every irrep that the child's group allows on the displacements, largest first, zeros last.
    strain : tuple of OrderParameter
        The same for the strain.
    """

    distortion: Distortion
    displacive: tuple[OrderParameter, ...]
    strain: tuple[OrderParameter, ...]

    def __getitem__(self, label: str) -> OrderParameter:
        for found in self.displacive:
            if found.label == label:
                return found
        raise KeyError(f"no {label}; there are {', '.join(o.label for o in self.displacive)}")

    @property
    def breaking_share(self) -> dict[str, float]:
        """Share of every displacive irrep in the squared displacement, the identity irrep left out."""
        squares = {o.label: o.amplitude**2 for o in self.displacive if not o.irrep.is_identity}
        total = sum(squares.values())
        return {label: square / total if total > ZERO_AMPLITUDE**2 else 0.0 for label, square in squares.items()}

    @cached_property
    def joint_subgroup(self) -> Subgroup:
        """Intersection of the isotropy subgroups of all order parameters, strain included."""
        group = whole_group(self.distortion.supercell)
        for found in (*self.displacive, *self.strain):
            group = group & found.subgroup
        return group

    def __str__(self) -> str:
        return f"Decomposition({', '.join(map(str, self.displacive)) or 'no displacements'})"

    __repr__ = __str__
    _repr_html_ = html_of


def projected_field(decomposition: Decomposition, group: Subgroup) -> tuple[np.ndarray, np.ndarray]:
    """Return the displacements (n, 3) and strain (3, 3) that are invariant under a group, irrep by irrep.

    Unlike `distortion.project` the group need not keep the supercell's lattice.
    """
    supercell = decomposition.distortion.supercell
    displacements, strain = np.zeros((supercell.n_atoms, 3)), np.zeros((3, 3))
    for found in decomposition.displacive:
        kept = found.components @ fixed_projector(found.irrep, group)
        displacements += expand(found.basis, supercell, kept)
    for found in decomposition.strain:
        kept = found.components @ fixed_projector(found.irrep, group)
        strain += irreps_to_symmetric(found.basis.fields(kept)[0, 0].real)
    return displacements, strain


def decompose(distortion: Distortion) -> Decomposition:
    """Decompose a distortion exactly.

    For every irrep at every wave vector commensurate with the child: the components on an orthonormal basis of modes,
    so that the squares of all amplitudes add up to the squared displacement (Parseval).
    """
    supercell, parent = distortion.supercell, distortion.supercell.parent
    representation = SiteRepresentation.on_sites(parent, parent.rotations_cart)
    rigid = [SiteRepresentation.uniform(parent, parent.rotations_cart)]
    if parent.finite:  # turns of the whole are no distortions either
        rotations = parent.rotations_cart
        rigid.append(SiteRepresentation.uniform(parent, rotations * np.linalg.det(rotations)[:, None, None]))
    blocks = displacement_blocks(parent)
    found = []
    for irrep in commensurate_irreps(supercell):
        if not representation.multiplicity(irrep):
            continue
        n_directions = len(fixed_space(irrep, distortion.group))
        if not n_directions:
            continue
        basis = mode_basis(representation, irrep, blocks)
        n_rigid = sum(motion.multiplicity(irrep) for motion in rigid) if not irrep.k.any() else 0
        n_modes = (basis.copies - n_rigid) * n_directions
        if n_modes:
            components = basis.components(supercell.fourier(distortion.displacements, basis.k))
            found.append(OrderParameter(basis, supercell, components, n_modes))
    return Decomposition(distortion, _sorted(found), () if parent.finite else decompose_strain(distortion))


def decompose_strain(distortion: Distortion) -> tuple[OrderParameter, ...]:
    """Decompose the strain into the irreps at Gamma; an amplitude is the Frobenius norm of that part of U - 1."""
    supercell, parent = distortion.supercell, distortion.supercell.parent
    turn = symmetric_to_irreps(_symmetric_images(parent.rotations_cart))
    representation = SiteRepresentation.uniform(parent, np.swapaxes(turn, 1, 2))
    values = symmetric_to_irreps(distortion.strain)[None, None]
    found = []
    for irrep in irreps_of_parent(parent, np.zeros(3, int), 1):
        n_directions = len(fixed_space(irrep, distortion.group)) if representation.multiplicity(irrep) else 0
        if n_directions:
            basis = mode_basis(representation, irrep)
            components = basis.components(values)
            found.append(OrderParameter(basis, supercell, components, basis.copies * n_directions))
    return _sorted(found)


def strain_tensor(order_parameter: OrderParameter) -> np.ndarray:
    """Return the strain tensor (3, 3) of one irrep's components."""
    return irreps_to_symmetric(order_parameter.basis.fields(order_parameter.components)[0, 0].real)


def _symmetric_images(rotations: np.ndarray) -> np.ndarray:
    """Return R e_b R^T for the orthonormal basis e_b of symmetric tensors: (n, 6, 3, 3)."""
    units = irreps_to_symmetric(np.eye(6))
    return rotations[:, None] @ units @ np.swapaxes(rotations, 1, 2)[:, None]


def _sorted(found: list[OrderParameter]) -> tuple[OrderParameter, ...]:
    return tuple(sorted(found, key=lambda o: (o.is_zero, -round(o.amplitude, 9), o.label)))
