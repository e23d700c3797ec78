"""The finite group G / T_S: a space group modulo the translations of a supercell that its point group keeps.

Element number g = operation * n_cells + index of the translation stands for {W|w + t}; a subset is a boolean array over
these numbers. Products are integer arithmetic, no table of all of them is ever built.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .errors import SymmetryError
from .lattice import invariant_sublattice
from .parent import Parent
from .supercell import Supercell


@dataclass(frozen=True, eq=False)
class GeneratedGroup:
    """A subgroup with generators.

    Attributes
    ----------
    elements : (order of the group,) bool
    generators : tuple of int
    """

    elements: np.ndarray
    generators: tuple[int, ...]

    @property
    def order(self) -> int:
        """Number of elements."""
        return int(self.elements.sum())

    @cached_property
    def key(self) -> bytes:
        """What two equal subgroups have in common."""
        return np.packbits(self.elements).tobytes()

    def contains(self, other: GeneratedGroup) -> bool:
        """Whether another subgroup is part of this one."""
        return not (other.elements & ~self.elements).any()


class QuotientGroup:
    """G / T_S, T_S the largest sublattice of a supercell that the point group maps onto itself.

    Parameters
    ----------
    parent : Parent
    matrix : (3, 3) int
        Supercell, rows in the primitive basis.
    """

    def __init__(self, parent: Parent, matrix: np.ndarray) -> None:
        self.supercell = Supercell.build(parent, invariant_sublattice(matrix, parent.group.rotations))
        group = parent.group
        keys = {rotation.tobytes(): i for i, rotation in enumerate(np.ascontiguousarray(group.rotations))}
        products = np.ascontiguousarray(np.einsum("aij,bjk->abik", group.rotations, group.rotations))
        try:
            self._table = np.array([[keys[matrix.tobytes()] for matrix in row] for row in products])
        except KeyError:
            raise SymmetryError("the rotation parts of a space group must be closed under multiplication") from None
        w = group.translation_parts
        carried = w[:, None] + np.einsum("aij,bj->abi", group.rotations, w) - w[self._table]
        self._carry = np.rint(carried).astype(int)
        self._identity_operation = int(np.flatnonzero((group.rotations == np.eye(3, dtype=int)).all(axis=(1, 2)))[0])

    @property
    def order(self) -> int:
        """Number of elements."""
        return self.supercell.n_elements

    @property
    def identity(self) -> int:
        """Number of the identity."""
        return self._identity_operation * self.supercell.n_cells

    def product(self, first: np.ndarray | int, second: np.ndarray | int) -> np.ndarray:
        """Return the numbers of the products g h, element by element, broadcast."""
        cells, rotations = self.supercell.n_cells, self.supercell.parent.group.rotations
        (a, s), (b, t) = np.divmod(first, cells), np.divmod(second, cells)
        translations = self.supercell.translations
        moved = np.einsum("...ij,...j->...i", rotations[a], translations[t])
        return self._table[a, b] * cells + self.supercell.quotient.index(translations[s] + moved + self._carry[a, b])

    def elements(self, operations: np.ndarray, translations: np.ndarray) -> np.ndarray:
        """Return the numbers of the elements {W|w + t} for operations (m,) and translations (m, 3)."""
        return np.asarray(operations) * self.supercell.n_cells + self.supercell.quotient.index(translations)

    def trivial(self) -> GeneratedGroup:
        """Return the group of the identity alone."""
        elements = np.zeros(self.order, bool)
        elements[self.identity] = True
        return GeneratedGroup(elements, ())

    def whole(self) -> GeneratedGroup:
        """Return the group itself."""
        group = self.trivial()
        for element in range(self.order):
            if group.order == self.order:
                break
            group = self.join(group, element)
        return group

    def generate(self, generators: np.ndarray) -> GeneratedGroup:
        """Return the subgroup that some elements generate."""
        group = self.trivial()
        for generator in generators:
            group = self.join(group, int(generator))
        return group

    def join(self, group: GeneratedGroup, generator: int) -> GeneratedGroup:
        """Return the subgroup that a subgroup and one more element generate (Dimino's algorithm by cosets)."""
        if group.elements[generator]:
            return group
        generators = (*group.generators, int(generator))
        members = np.flatnonzero(group.elements)
        closed = group.elements.copy()
        pending = [int(generator)]
        while pending:
            representative = pending.pop()
            if closed[representative]:
                continue
            closed[self.product(members, representative)] = True
            pending += self.product(representative, np.array(generators)).tolist()
        return GeneratedGroup(closed, generators)

    def translation_subgroup(self, matrix: np.ndarray) -> GeneratedGroup:
        """Return the translations of a supercell (rows, primitive units) as a subgroup."""
        return self.generate(self.elements(np.full(3, self._identity_operation), np.asarray(matrix)))
