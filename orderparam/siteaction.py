"""A finite group acting on sites: the one object that crystals and molecules share.

For a crystal the group is a space group modulo the translations of a supercell, for a point set its point group.
Everything that is linear in a field on the sites (displacements, pseudovectors, quadrupoles ...) needs no more than
what stands here: where each element sends each site, and how it turns space.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .errors import InvalidInputError


@dataclass(frozen=True)
class SiteAction:
    """A finite group acting on sites.

    Attributes
    ----------
    rotations : (n_elements, 3, 3) float64
        Orthogonal matrix R_g of every element, Cartesian.
    permutations : (n_elements, n_sites) int64
        Element g sends site i to site ``permutations[g, i]``.

    The identity comes first. A field f of a representation D of O(3) is acted on actively:
    ``(g f)[permutations[g, i]] = D(R_g) f[i]``.

    Examples
    --------
    >>> import numpy as np
    >>> swap = SiteAction(np.array([np.eye(3), -np.eye(3)]), np.array([[0, 1], [1, 0]]))
    >>> swap.n_elements, swap.n_sites, swap.orbits()
    (2, 2, [[0, 1]])
    """

    rotations: np.ndarray
    permutations: np.ndarray

    def __post_init__(self) -> None:
        n = len(self.rotations)
        if self.rotations.shape != (n, 3, 3) or self.permutations.ndim != 2 or len(self.permutations) != n:
            raise InvalidInputError(
                f"SiteAction: expected rotations (n, 3, 3) and permutations (n, sites), received "
                f"{self.rotations.shape} and {self.permutations.shape}"
            )
        for array in (self.rotations, self.permutations):
            array.setflags(write=False)

    @property
    def n_elements(self) -> int:
        """Order of the group."""
        return len(self.rotations)

    @property
    def n_sites(self) -> int:
        """Number of sites acted on."""
        return self.permutations.shape[1]

    def orbits(self) -> list[list[int]]:
        """Return the orbits of the sites, each sorted, in order of their first site."""
        seen: set[int] = set()
        found = []
        for site in range(self.n_sites):
            if site not in seen:
                orbit = sorted(set(self.permutations[:, site].tolist()))
                seen.update(orbit)
                found.append(orbit)
        return found

    def subgroup(self, elements: np.ndarray) -> SiteAction:
        """Return the action of the listed elements (indices or a mask), which must form a group."""
        return SiteAction(self.rotations[elements].copy(), self.permutations[elements].copy())

    def transform(self, representation: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Apply every element to a field.

        Parameters
        ----------
        representation : (n_elements, d, d)
            D(R_g) of every element.
        values : (n_sites, d)
            The field.

        Returns
        -------
        (n_elements, n_sites, d)
            ``out[g, permutations[g, i]] = D(R_g) values[i]``.
        """
        turned = np.einsum("gab,ib->gia", representation, values)
        out = np.empty_like(turned)
        np.put_along_axis(out, self.permutations[:, :, None], turned, axis=1)
        return out

    def average(self, representation: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Project a field (n_sites, d) onto the fields that are invariant under every element."""
        return self.transform(representation, values).mean(axis=0)
