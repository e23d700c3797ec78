"""The inverse question: which irreps, alone or in pairs, lead to a given space group and cell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import combinations
from math import lcm

import numpy as np

from orderparam.parent import Parent

from .parentirreps import ParentIrrep
from .strata import Direction, find_directions, kernel_lattice


def leads_to(
    parent: Parent,
    irreps: Sequence[ParentIrrep],
    number: int,
    size: int | None,
    *,
    on_step: Callable[[int, int], None] | None = None,
) -> list[list[Direction]]:
    """Return, for every single irrep and every pair that can, its directions with a given subgroup.

    Only pairs of irreps of which neither does it alone are listed.

    Parameters
    ----------
    parent : Parent
    irreps : sequence of ParentIrrep
        Candidates.
    number : int
        Space-group type of the subgroup; enantiomorphic partners count as one.
    size : int or None
        Cell multiplication, any when None.
    on_step : callable, optional
        Called with the number of sets done and of all sets.
    """
    wanted = {number, ENANTIOMORPHS.get(number, number)}

    def fits(direction: Direction) -> bool:
        return (size is None or direction.size == size) and direction.subgroup.space_group[0] in wanted

    found, alone = [], set()
    breaking = [irrep for irrep in irreps if not irrep.is_identity]
    sets: list[tuple[ParentIrrep, ...]] = [*((irrep,) for irrep in breaking), *combinations(breaking, 2)]
    for done, members in enumerate(sets):
        if on_step is not None:
            on_step(done, len(sets))
        if any(m.label in alone for m in members) or sum(m.dimension for m in members) > LARGEST:
            continue
        if size is not None and abs(round(np.linalg.det(kernel_lattice(members)))) % size:
            continue  # the cell of a direction divides that of the kernel
        if size is not None and any(size % order(m) for m in members):
            continue  # and no active arm is periodic in fewer cells
        hits = [d for d in find_directions(parent, members) if fits(d)]
        if hits:
            found.append(hits)
            if len(members) == 1:
                alone.add(members[0].label)
    return found


def order(irrep: ParentIrrep) -> int:
    """Return the smallest n for which n k is a reciprocal lattice vector: primitive cells in one period of an arm."""
    return lcm(*(Fraction(float(value)).limit_denominator(48).denominator for value in irrep.k[0]))


LARGEST = 12
"""Pairs of more components together are left out of the search."""

ENANTIOMORPHS = {76: 78, 91: 95, 92: 96, 144: 145, 151: 153, 152: 154, 169: 170, 171: 172, 178: 179, 180: 181, 212: 213}
ENANTIOMORPHS |= {v: k for k, v in ENANTIOMORPHS.items()}
