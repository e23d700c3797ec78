"""How far from its parent a child may be for the search to find it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orderparam.errors import InvalidInputError

MAX_DISPLACEMENT = 1.2
"""Largest displacement (angstrom) between child and parent, mean displacement removed, in the parent's metric."""

MAX_STRAIN = 0.2
"""Largest principal strain between child and parent, either sign."""


@dataclass(frozen=True)
class Limits:
    """The bounds of a search, and what they imply for the operations that it must look at.

    Attributes
    ----------
    max_displacement : float
        Of any atom, mean displacement removed, in the parent's metric, angstrom.
    max_strain : float
        Of any principal strain from parent to child, below 1.

    Raises
    ------
    InvalidInputError
        If a bound is out of range.
    """

    max_displacement: float = MAX_DISPLACEMENT
    max_strain: float = MAX_STRAIN

    def __post_init__(self) -> None:
        if not 0 < self.max_displacement < np.inf:
            raise InvalidInputError(f"largest displacement: expected more than 0 angstrom, not {self.max_displacement}")
        if not 0 <= self.max_strain < 1:
            raise InvalidInputError(f"largest strain: expected a number from 0 to below 1, not {self.max_strain}")

    @property
    def reach(self) -> float:
        """Bound (angstrom) on |g x - x'| in the child's metric for every operation g of a parent within the limits.

        Displacements u of mean zero leave g x_i - x_p(i) = R u_i - u_p(i), at most 2 max |u| in the parent's metric;
        the strain stretches lengths by at most 1 + max_strain.
        """
        return 2 * self.max_displacement * (1 + self.max_strain)

    @property
    def half_strain(self) -> float:
        """Bound on half of the logarithmic stretch that a rotation of the parent's lattice is for the child's.

        Principal stretches between 1 - e and 1 + e turn a rotation R into F R F^-1, whose stretches are at most
        (1 + e) / (1 - e); half of the logarithm is artanh e.
        """
        return float(np.arctanh(self.max_strain))

    def excess(self, max_displacement: float, strains: np.ndarray) -> float:
        """Return a displacement or principal strains in units of their bound, whichever is more: within up to 1."""
        return max(max_displacement / self.max_displacement, float(np.abs(strains).max()) / max(self.max_strain, 1e-9))
