"""Linear subspaces with orthonormal bases: what a hard constraint leaves of an input."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orderparam.errors import InvalidInputError

_ZERO = 1e-6
"""Singular values below this are zero; the vectors that meet here have norm about one."""


@dataclass(frozen=True, eq=False)
class Subspace:
    """A linear subspace of R^n.

    Attributes
    ----------
    basis : (r, n) float64
        Orthonormal rows.

    Examples
    --------
    >>> import numpy as np
    >>> plane = Subspace.null(np.array([[0.0, 0.0, 1.0]]))
    >>> diagonal = Subspace.span(np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 2.0]]))
    >>> both = plane & diagonal
    >>> both.dimension, np.round(np.abs(both.basis), 3).tolist()
    (1, [[0.707, 0.707, 0.0]])
    """

    basis: np.ndarray

    def __post_init__(self) -> None:
        if self.basis.ndim != 2 or not np.allclose(self.basis @ self.basis.T, np.eye(len(self.basis)), atol=1e-9):
            raise InvalidInputError(f"Subspace: expected orthonormal rows, received an array {self.basis.shape}")
        self.basis.setflags(write=False)

    @classmethod
    def whole(cls, n: int) -> Subspace:
        """Return R^n itself."""
        return cls(np.eye(n))

    @classmethod
    def span(cls, vectors: np.ndarray) -> Subspace:
        """Return what vectors (m, n) span."""
        _, values, right = np.linalg.svd(vectors, full_matrices=False)
        return cls(right[: int((values > _ZERO).sum())].copy())

    @classmethod
    def null(cls, equations: np.ndarray) -> Subspace:
        """Return the x with ``equations @ x = 0``, equations (m, n)."""
        _, values, right = np.linalg.svd(equations, full_matrices=True)
        return cls(right[int((values > _ZERO).sum()) :].copy())

    @property
    def dimension(self) -> int:
        """Number of free parameters."""
        return len(self.basis)

    @property
    def projector(self) -> np.ndarray:
        """The orthogonal projector (n, n)."""
        return self.basis.T @ self.basis

    def __and__(self, other: Subspace) -> Subspace:
        n = self.basis.shape[1]
        return Subspace.null(np.concatenate([np.eye(n) - self.projector, np.eye(n) - other.projector]))

    def __le__(self, other: Subspace) -> bool:
        return bool(np.abs(self.basis - self.basis @ other.projector).max(initial=0.0) < _ZERO)
