"""The finite group G / T_S: a space group modulo the translations of a supercell that its point group keeps.

Element number g = operation * n_cells + index of the translation stands for {W|w + t}; a subset is a boolean array over
these numbers. Products are look-ups in tables of the point group and of the translations, never in one of all elements.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .errors import SymmetryError
from .lattice import invariant_sublattice
from .parent import Parent
from .supercell import Supercell

LARGEST_BATCH = 10_000_000
"""So many entries of boolean arrays are filled at once where many subgroups are joined."""


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
        self._carry = self.supercell.quotient.index(np.rint(carried).astype(int))
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
        cells = self.supercell.n_cells
        (a, s), (b, t) = np.divmod(first, cells), np.divmod(second, cells)
        return self._table[a, b] * cells + self._sums[s, self._sums[self._turned[a, t], self._carry[a, b]]]

    @cached_property
    def _sums(self) -> np.ndarray:
        """Translations (n_cells, n_cells) that are sums of two."""
        translations = self.supercell.translations
        return np.stack([self.supercell.quotient.index(translations + t) for t in translations])

    @cached_property
    def _negatives(self) -> np.ndarray:
        """Translations (n_cells,) backwards."""
        return self.supercell.quotient.index(-self.supercell.translations)

    @cached_property
    def _turned(self) -> np.ndarray:
        """Translations (n_operations, n_cells) turned by every operation."""
        rotations, translations = self.supercell.parent.group.rotations, self.supercell.translations
        return self.supercell.quotient.index(np.einsum("aij,tj->ati", rotations, translations))

    @cached_property
    def _turning_waves(self) -> np.ndarray:
        """Where a wave commensurate with the supercell differs at a translation from what it is at the origin.

        (n_waves, n_cells), 1 there and 0 elsewhere, as floats for products of matrices.
        """
        phases = self.supercell.wave_vectors() @ self.supercell.translations.T
        return (phases % self.supercell.n_cells != 0).astype(np.float32)

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

    def coset_representatives(self, group: GeneratedGroup, elements: np.ndarray) -> np.ndarray:
        """Return one of the elements (order,) bool in each coset H g but H itself: joins with H need no other."""
        members, left, found = np.flatnonzero(group.elements), elements & ~group.elements, []
        for element in np.flatnonzero(left):
            if left[element]:
                found.append(element)
                left[self.product(members, int(element))] = False
        return np.array(found, int)

    def joins(self, group: GeneratedGroup, elements: np.ndarray) -> Iterator[GeneratedGroup]:
        """Yield the subgroup that a subgroup and each of some elements (m,) generate, many of them at a time.

        Elements with one rotation part reach the same rotation parts by the same words. One word for each, t_k, gives
        all pure translations too (Schreier): they are generated by t_k s / t_ks, s the generators.
        """
        cells = self.supercell.n_cells
        at_once = max(1, LARGEST_BATCH // self.order)
        for operation in np.unique(elements // cells):
            same = elements[elements // cells == operation]
            for start in range(0, len(same), at_once):
                batch = same[start : start + at_once]
                for element, joined in zip(batch, self._joined(group, batch), strict=True):
                    yield GeneratedGroup(joined, (*group.generators, int(element)))

    def _joined(self, group: GeneratedGroup, batch: np.ndarray) -> np.ndarray:
        """Return the joins (m, order) bool of a subgroup with elements (m,) of one rotation part."""
        cells, m = self.supercell.n_cells, len(batch)
        generators = np.array([*(np.full(m, g) for g in group.generators), batch])
        words = {self._identity_operation: np.full(m, self.identity)}
        products, queue = [], [self._identity_operation]
        for operation in queue:
            products.append(self.product(words[operation], generators))
            for product in products[-1]:
                reached = int(product[0] // cells)
                if reached not in words:
                    words[reached] = product
                    queue.append(reached)
        # every t_k s, and the translation by which it differs from the word of its own rotation part
        longer = np.concatenate(products)
        shifts = np.zeros((len(self._table), m), int)
        shifts[queue] = np.stack([words[operation] for operation in queue]) % cells
        pure = self._sums[longer % cells, self._negatives[shifts[longer[:, 0] // cells]]]
        lattices = np.zeros((m, cells), bool)
        lattices[np.arange(m), pure] = True
        lattices = self._generated_lattices(lattices)
        joined = np.zeros((m, len(self._table), cells), bool)
        for operation in queue:
            back = self._sums[self._negatives[shifts[operation]]]
            joined[:, operation] = np.take_along_axis(lattices, back, axis=1)
        return joined.reshape(m, -1)

    def _generated_lattices(self, translations: np.ndarray) -> np.ndarray:
        """Return the subgroups that sets of translations generate, both (m, n_cells) bool.

        By duality: the translations at which every wave is 1 that is 1 on the whole set.
        """
        _, first, of_set = np.unique(np.packbits(translations, axis=1), axis=0, return_index=True, return_inverse=True)
        constant = (translations[first].astype(np.float32) @ self._turning_waves.T) == 0
        return ((constant.astype(np.float32) @ self._turning_waves) == 0)[of_set.ravel()]

    def translation_subgroup(self, matrix: np.ndarray) -> GeneratedGroup:
        """Return the translations of a supercell (rows, primitive units) as a subgroup."""
        return self.generate(self.elements(np.full(3, self._identity_operation), np.asarray(matrix)))
