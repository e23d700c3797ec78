"""The equivalent states of a child: one for every coset of its group."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from orderparam.crystals.crystal import Crystal
from orderparam.discovery.analyse import Analysis
from orderparam.discovery.denoise import spread
from orderparam.formats.childcell import operation_text, rotation_symbol
from orderparam.shown import html_of
from orderparam.supercell import Supercell

from .cosets import Cosets


@dataclass(frozen=True, eq=False)
class Domain:
    """The child under one operation of the parent.

    Attributes
    ----------
    number : int
        0 is the child as it is.
    rotation, translation : (3, 3) int, (3,)
        The operation {W|w} in the parent's conventional basis.
    kind : str
        ``"identity"``, ``"antiphase"`` (a lost translation), ``"inversion twin"`` or ``"orientation"``.
    order_parameters : dict
        Components (copies, dimension), Ap, by label.
    strain : (3, 3)
        In the parent's frame.
    supercell : Supercell
        The domain's primitive cell cut out of the parent.
    displacements : (n, 3)
        Angstrom, the parent's frame.
    common : Supercell
        The smallest cell that all domains share.
    """

    number: int
    rotation: np.ndarray
    translation: np.ndarray
    kind: str
    order_parameters: dict[str, np.ndarray]
    strain: np.ndarray
    supercell: Supercell
    displacements: np.ndarray
    common: Supercell

    @cached_property
    def operation(self) -> str:
        """The operation as ``-y,x,z+1/2``."""
        return operation_text(self.rotation, self.translation)

    @cached_property
    def turn(self) -> str:
        """The rotation part as ``4+ [001]``; 1 for an antiphase domain, -1 for an inversion twin."""
        return rotation_symbol(self.rotation)

    def crystal(self, name: str = "", *, common: bool = False) -> Crystal:
        """Return the structure: in the child's cell, turned with it, or on the vectors that all domains share."""
        if not common:
            return self.supercell.with_displacements(self.displacements, self.strain, name)
        field = self.displacements[self.supercell.atoms_at(self.common.sites, self.common.cells)]
        return self.common.with_displacements(field, self.strain, name)

    def __str__(self) -> str:
        return f"Domain({self.number}, {self.operation}, {self.kind})"

    __repr__ = __str__
    _repr_html_ = html_of


def find_domains(analysis: Analysis) -> tuple[Domain, ...]:
    """Return all |G : H| equivalent states of a child, itself first, then antiphase ones, then the others.

    Examples
    --------
    >>> from orderparam import analyse, read_crystal, symmetrise
    >>> parent = symmetrise(read_crystal("structures/perovskite/SrTiO3_221.cif"))
    >>> found = find_domains(analyse(parent, read_crystal("structures/perovskite/SrTiO3_140.cif")))
    >>> [(d.operation, d.kind) for d in found][:2], len(found)
    ([('x,y,z', 'identity'), ('x,y,z+1', 'antiphase')], 6)
    """
    distortion = analysis.relation.distortion
    cosets = Cosets.of(distortion)
    whole, parent = cosets.group.supercell, analysis.relation.parent
    field = spread(distortion, whole)
    decomposition = analysis.decomposition
    to_conventional = np.linalg.inv(parent.conventional)
    found = []
    for number, element in enumerate(cosets.representatives):
        operation, cell = divmod(int(element), whole.n_cells)
        shift = whole.translations[cell]
        rotation = parent.rotations_cart[operation]
        permutation = whole.permutations(np.array([[operation, cell]]))[0]
        turned = np.empty_like(field)
        turned[permutation] = field @ rotation.T
        # its lattice is that of the child, turned
        basis = distortion.supercell.matrix @ parent.group.rotations[operation].T
        supercell = Supercell.build(parent, basis if np.linalg.det(basis) > 0 else -basis)
        W = parent.group.rotations[operation]
        columns = parent.conventional.T
        conventional = np.rint(np.linalg.inv(columns) @ W @ columns).astype(int)
        translation = (parent.group.translation_parts[operation] + shift) @ to_conventional
        found.append(
            Domain(
                number=number,
                rotation=conventional,
                translation=translation,
                kind=_kind(number, W),
                order_parameters={
                    o.label: o.irrep.translate(o.components @ o.irrep.matrices[operation].T, shift[None])[0]
                    for o in decomposition.displacive
                    if not o.is_zero
                },
                strain=rotation @ distortion.strain @ rotation.T,
                supercell=supercell,
                displacements=turned[whole.atoms_at(supercell.sites, supercell.cells)],
                common=whole,
            )
        )
    return tuple(found)


def _kind(number: int, rotation: np.ndarray) -> str:
    if number == 0:
        return "identity"
    if (rotation == np.eye(3, dtype=int)).all():
        return "antiphase"
    return "inversion twin" if (rotation == -np.eye(3, dtype=int)).all() else "orientation"
