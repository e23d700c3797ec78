"""Covariants: how order parameters of lowest order follow from others, fitted to several children at once.

A covariant of degree d maps primary components h to those of a follower and commutes with the group,
f(D(g) h) = R(g) f(h). All of them are combinations of the kernel

    K(h, h') = |G|^-1 sum_g R(g) <h, D(g) h'>^d,

so that f(h) = sum_i K(h, h_i) a_i with the least-norm a that meets the children's values is the power law in every
direction at once: for one child the plain s^d along its line, for several their best common covariant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orderparam.parent import Parent
from orderparam.supercell import Supercell

from .parentirreps import ParentIrrep
from .strata import kernel_lattice

HIGHEST_DEGREE = 8
_ZERO = 1e-9
_RELATIVE = 1e-8
"""Singular values of the kernel below this part of the largest are zero."""

Vector = Sequence[np.ndarray]
"""Components (dimension,) of every primary irrep."""


@dataclass(frozen=True, eq=False)
class PowerLaw:
    """How one irrep follows from others at lowest order.

    Attributes
    ----------
    primaries : tuple of ParentIrrep
    follower : ParentIrrep
    supercell : Supercell
        In which all of them are periodic.
    """

    primaries: tuple[ParentIrrep, ...]
    follower: ParentIrrep
    supercell: Supercell

    @classmethod
    def between(cls, parent: Parent, primaries: Sequence[ParentIrrep], follower: ParentIrrep) -> PowerLaw:
        """Prepare the group modulo the translations under which primaries and follower are invariant."""
        matrix = kernel_lattice([*primaries, follower])
        return cls(tuple(primaries), follower, Supercell.build(parent, matrix))

    def overlaps(self, first: Vector, second: Vector) -> np.ndarray:
        """Return <h, D(t) D(W) h'> for every translation and operation: (n_cells, n_operations)."""
        total = np.zeros((self.supercell.n_cells, self.supercell.parent.group.order))
        for irrep, one, two in zip(self.primaries, first, second, strict=True):
            turned = irrep.matrices @ two
            total += irrep.translate(turned, self.supercell.translations) @ one
        return total

    def kernel(self, degree: int, first: Vector, second: Vector) -> np.ndarray:
        """Return K(h, h') of a degree: (dimension, dimension) of the follower."""
        weights = self.overlaps(first, second) ** degree
        translations = self.follower.translation_matrices(self.supercell.translations)
        by_translation = np.einsum("tg,gjk->tjk", weights, self.follower.matrices)
        return np.einsum("tij,tjk->ik", translations, by_translation) / weights.size

    def degree(self, vectors: Sequence[Vector]) -> int | None:
        """Return the lowest degree at which the follower need not vanish for one of the vectors; None beyond 8."""
        for degree in range(1, HIGHEST_DEGREE + 1):
            for h in vectors:
                size = sum(float(part @ part) for part in h) ** degree
                if size > 0 and np.abs(self.kernel(degree, h, h)).max() > _ZERO * size:
                    return degree
        return None

    def predict(self, known: Sequence[Vector], values: Sequence[np.ndarray], wanted: Vector) -> np.ndarray:
        """Predict the follower by its covariants of lowest degree.

        Parameters
        ----------
        known : sequence of h
            The primaries of every child.
        values : sequence of (copies, dimension)
            The follower in every child.
        wanted : h
            Where to predict.

        Returns
        -------
        (copies, dimension)
            Zero when no degree up to 8 couples them.
        """
        degree = self.degree([*known, wanted])
        if degree is None:
            return np.zeros_like(values[0])
        n, d = len(known), self.follower.dimension
        gram = np.array([[self.kernel(degree, a, b) for b in known] for a in known])
        gram = gram.transpose(0, 2, 1, 3).reshape(n * d, n * d)
        row = np.array([self.kernel(degree, wanted, b) for b in known]).transpose(1, 0, 2).reshape(d, n * d)
        targets = np.array(values).transpose(0, 2, 1).reshape(n * d, -1)
        return (row @ np.linalg.pinv(gram, rcond=_RELATIVE, hermitian=True) @ targets).T
