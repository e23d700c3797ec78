"""The cosets of a child's group H in the parent's G, as a permutation representation of G / T_S."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from orderparam.discovery.denoise import own_elements
from orderparam.distortion import Distortion
from orderparam.quotientgroup import GeneratedGroup, QuotientGroup
from orderparam.supercell import Subgroup


@dataclass(frozen=True, eq=False)
class Cosets:
    """G / H.

    Attributes
    ----------
    group : QuotientGroup
        G / T_S.
    own : GeneratedGroup
        H / T_S.
    coset_of : (order of G / T_S,) int
        The coset g H of every element; that of the identity is 0.
    representatives : (index,) int
        One element of every coset; pure translations and the inversion where a coset has them.
    """

    group: QuotientGroup
    own: GeneratedGroup
    coset_of: np.ndarray
    representatives: np.ndarray

    @classmethod
    def of(cls, distortion: Distortion) -> Cosets:
        """Enumerate the cosets of a distortion's group."""
        group = QuotientGroup(distortion.supercell.parent, distortion.supercell.matrix)
        own = own_elements(distortion, group)
        members = np.flatnonzero(own.elements)
        coset_of = np.full(group.order, -1)
        representatives = []
        for element in _plain_first(group):
            if coset_of[element] < 0:
                coset_of[group.product(int(element), members)] = len(representatives)
                representatives.append(int(element))
        return cls(group, own, coset_of, np.array(representatives))

    @property
    def index(self) -> int:
        """Number of cosets, |G : H|."""
        return len(self.representatives)

    @cached_property
    def permutations(self) -> np.ndarray:
        """How generators of G permute the cosets: (n_generators, index) int."""
        generators = self.group.whole().generators
        return np.array([self.coset_of[self.group.product(g, self.representatives)] for g in generators])

    def join(self, classes: np.ndarray, coset: int) -> np.ndarray:
        """Return the finest equivalence of cosets that G keeps, contains another one and joins a coset to the first.

        Equivalences that G keeps are subgroups over H: the class of the first coset is the block, the subgroup's
        cosets. By union-find with the generators of G: where a and b are one, so are g a and g b.

        Parameters
        ----------
        classes : (index,) int
            The smallest member of the class of every coset.
        coset : int

        Returns
        -------
        (index,) int
            In the same form.
        """
        parent = classes.tolist()

        def find(a: int) -> int:
            while parent[a] != a:
                parent[a] = parent[parent[a]]
                a = parent[a]
            return a

        pending = [(0, coset)]
        permutations = self.permutations.tolist()
        while pending:
            a, b = pending.pop()
            one, two = find(a), find(b)
            if one == two:
                continue
            parent[max(one, two)] = min(one, two)
            pending += [(images[a], images[b]) for images in permutations]
        return np.array([find(i) for i in range(self.index)])

    def subgroup(self, block: np.ndarray) -> Subgroup:
        """Return the union of cosets as a subgroup of the parent's group."""
        supercell = self.group.supercell
        mask = block[self.coset_of].reshape(supercell.parent.group.order, supercell.n_cells)
        return Subgroup(supercell, mask.copy())

    def generated(self, block: np.ndarray) -> GeneratedGroup:
        """Return the union of cosets as elements of G / T_S."""
        return GeneratedGroup(block[self.coset_of], ())


def _plain_first(group: QuotientGroup) -> np.ndarray:
    """Return all elements: the identity, pure translations, the inversion with translations, then the others."""
    cells = group.supercell.n_cells
    rotations = group.supercell.parent.group.rotations
    plain = (rotations == np.eye(3, dtype=int)).all(axis=(1, 2))
    inverse = (rotations == -np.eye(3, dtype=int)).all(axis=(1, 2))
    rank = np.where(plain, 0, np.where(inverse, 1, 2)).repeat(cells)
    return np.argsort(rank, kind="stable")
