"""Symmetry-adapted modes one by one, as ISODISTORT and AMPLIMODES list them.

A mode belongs to one irrep, one orbit of the parent, one irrep of the site group and one free parameter of the child's
direction: ``R4+[O1:d:dsp]Eu(a)``. The modes of a child are orthonormal over its primitive cell, so that their
amplitudes (As) squared add up to the squared displacement.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from orderparam.distortion import Distortion

from .isotropy import fixed_space
from .modes import expand
from .orderparameter import Decomposition, OrderParameter


@dataclass(frozen=True, eq=False)
class SiteMode:
    """One mode that the child's group allows.

    Attributes
    ----------
    order_parameter : OrderParameter
        The irrep's part of the distortion.
    site : int
        First site of the orbit that moves.
    site_irrep : str
        Irrep of the site group, in Mulliken's notation.
    branch : int
        Number of the mode among those with the same irrep, orbit and site irrep, from 1.
    n_branches : int
        How many of these there are.
    parameter : str
        Letter of the free parameter of the child's direction.
    components : (copies, dimension)
        Unit vector in the space of the order parameter.
    amplitude : float
        Ap, angstrom: per primitive cell of the parent.
    """

    order_parameter: OrderParameter
    site: int
    site_irrep: str
    branch: int
    n_branches: int
    parameter: str
    components: np.ndarray
    amplitude: float

    @property
    def name(self) -> str:
        """The mode as ISODISTORT writes it."""
        parent = self.order_parameter.supercell.parent
        number = f"_{self.branch}" if self.n_branches > 1 else ""
        parts = [parent.crystal.labels[self.site], parent.wyckoffs[self.site], "dsp"]
        place = ":".join(part for part in parts if part)  # a finite set has no Wyckoff letters
        return f"{self.order_parameter.label}[{place}]{self.site_irrep}{number}({self.parameter})"

    @property
    def amplitude_supercell(self) -> float:
        """As, angstrom: over the child's primitive cell."""
        return self.amplitude * float(np.sqrt(self.order_parameter.supercell.n_cells))

    @cached_property
    def pattern(self) -> np.ndarray:
        """Displacements (n, 3) of the child's atoms at As = 1 angstrom; their squares add up to one."""
        supercell = self.order_parameter.supercell
        return expand(self.order_parameter.basis, supercell, self.components) / np.sqrt(supercell.n_cells)

    @property
    def max_displacement(self) -> float:
        """Largest displacement of an atom at the mode's amplitude, angstrom."""
        return abs(self.amplitude_supercell) * float(np.linalg.norm(self.pattern, axis=1).max())

    @cached_property
    def polarisation(self) -> np.ndarray:
        """Displacements (n, 3), fractional in the child's cell, the largest component 1."""
        fractional = self.pattern @ np.linalg.inv(self.order_parameter.supercell.lattice)
        return fractional / np.abs(fractional).max()

    @property
    def normalisation(self) -> float:
        """Factor (1/angstrom) for which the shifts of coordinates are As * normalisation * polarisation."""
        lattice = self.order_parameter.supercell.lattice
        return 1 / float(np.linalg.norm(self.polarisation @ lattice))

    def __str__(self) -> str:
        return f"{self.name} {self.amplitude_supercell:.5f}"


def site_modes(order_parameter: OrderParameter, distortion: Distortion) -> tuple[SiteMode, ...]:
    """Return the modes of one order parameter that the group of a distortion allows, zero ones included.

    At Gamma the modes of the separate orbits hold the uniform translations too: there are as many more of them than
    `OrderParameter.n_modes` as the child has polar directions in the irrep.
    """
    basis = order_parameter.basis
    directions = fixed_space(order_parameter.irrep, distortion.group)
    kinds = list(zip(basis.sites.tolist(), basis.site_irreps, strict=True))
    totals, seen = Counter(kinds), Counter[tuple[int, str]]()
    modes = []
    for copy, kind in enumerate(kinds):
        seen[kind] += 1
        for number, direction in enumerate(directions):
            components = np.zeros_like(order_parameter.components)
            components[copy] = direction
            amplitude = float((components * order_parameter.components).sum())
            modes.append(
                SiteMode(
                    order_parameter,
                    *kind,
                    branch=seen[kind],
                    n_branches=totals[kind],
                    parameter=_letter(number),
                    components=components,
                    amplitude=amplitude,
                )
            )
    return tuple(modes)


def all_site_modes(decomposition: Decomposition) -> tuple[SiteMode, ...]:
    """Return the modes of all displacive order parameters, irrep by irrep.

    Examples
    --------
    >>> from orderparam import analyse, read_crystal, symmetrise
    >>> parent = symmetrise(read_crystal("structures/fluorite/ZrO2_225.cif"))
    >>> child = read_crystal("structures/fluorite/ZrO2_137.cif")
    >>> [m.name for m in all_site_modes(analyse(parent, child).decomposition)]
    ['X2-[O1:c:dsp]T2(a)']
    """
    distortion = decomposition.distortion
    return tuple(mode for o in decomposition.displacive for mode in site_modes(o, distortion))


def _letter(number: int) -> str:
    letters = "abcdefghijklmnopqrstuvwxyz"
    return letters[number] if number < len(letters) else f"a{number + 1}"
