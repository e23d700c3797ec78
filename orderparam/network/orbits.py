"""Fields that are invariant under a group: known from one site per orbit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orderparam.o3 import Irrep, wigner_d
from orderparam.siteaction import SiteAction

from .layout import Layout


@dataclass(frozen=True)
class Orbits:
    """One site per orbit, and how the others follow.

    An invariant field of a representation D obeys ``f[j] = D(rotations[j]) f[representatives[orbit_of[j]]]``.

    Attributes
    ----------
    representatives, sizes : (n_orbits,) int64
        First site of every orbit, and how many sites it has.
    orbit_of : (n_sites,) int64
        Orbit of every site.
    rotations : (n_sites, 3, 3) float64
        Cartesian rotation of an element that carries the representative to the site.
    """

    representatives: np.ndarray
    sizes: np.ndarray
    orbit_of: np.ndarray
    rotations: np.ndarray

    @classmethod
    def of(cls, group: SiteAction) -> Orbits:
        """Find the orbits of a group."""
        orbit_of = np.empty(group.n_sites, dtype=int)
        rotations = np.empty((group.n_sites, 3, 3))
        orbits = group.orbits()
        for number, orbit in enumerate(orbits):
            sites, elements = np.unique(group.permutations[:, orbit[0]], return_index=True)
            orbit_of[sites], rotations[sites] = number, group.rotations[elements]
        first = np.array([orbit[0] for orbit in orbits])
        return cls(first, np.array([len(orbit) for orbit in orbits]), orbit_of, rotations)

    @classmethod
    def trivial(cls, n_sites: int) -> Orbits:
        """Return every site as an orbit of its own."""
        sites = np.arange(n_sites)
        return cls(sites, np.ones(n_sites, dtype=int), sites, np.broadcast_to(np.eye(3), (n_sites, 3, 3)))

    @property
    def n_orbits(self) -> int:
        """Number of orbits."""
        return len(self.representatives)

    def spread(self, layout: Layout, values: np.ndarray) -> np.ndarray:
        """Give an invariant field (n_orbits, dim) on the representatives to all sites (n_sites, dim)."""
        return np.einsum("jab,jb->ja", layout.matrices(self.rotations), values[self.orbit_of])


def invariant_fields(group: SiteAction, irrep: Irrep, sites: np.ndarray | None = None) -> np.ndarray:
    """Return an orthonormal basis of the fields of an irrep that are invariant under a group.

    Parameters
    ----------
    group : SiteAction
        The group.
    irrep : Irrep
        How the field turns at every site.
    sites : (n,) int64, optional
        Only fields on the orbits of these sites.

    Returns
    -------
    (n_free, n_sites, 2l+1) float64
        Every field lives on one orbit: invariants of the representative's stabiliser, carried to the other sites.
    """
    matrices = wigner_d(irrep, group.rotations)
    wanted = set(range(group.n_sites)) if sites is None else set(np.asarray(sites).tolist())
    fields = []
    for orbit in group.orbits():
        if wanted.isdisjoint(orbit):
            continue
        targets, elements = np.unique(group.permutations[:, orbit[0]], return_index=True)
        stabiliser = matrices[group.permutations[:, orbit[0]] == orbit[0]].mean(axis=0)
        values, vectors = np.linalg.eigh((stabiliser + stabiliser.T) / 2)
        for vector in vectors[:, values > 0.5].T:
            field = np.zeros((group.n_sites, irrep.dim))
            field[targets] = matrices[elements] @ vector / np.sqrt(len(orbit))
            fields.append(field)
    return np.array(fields).reshape(-1, group.n_sites, irrep.dim)


def invariant_tensors(group: SiteAction, irrep: Irrep) -> np.ndarray:
    """Return an orthonormal basis (n_free, 2l+1) of the tensors of an irrep that are invariant under a group."""
    mean = wigner_d(irrep, group.rotations).mean(axis=0)
    values, vectors = np.linalg.eigh((mean + mean.T) / 2)
    return vectors[:, values > 0.5].T


def invariant_displacements(group: SiteAction) -> np.ndarray:
    """Return an orthonormal basis (n_free, n_sites, 3) of the invariant displacements without uniform translations."""
    basis = invariant_fields(group, Irrep(1, -1))
    relative = basis - basis.mean(axis=1, keepdims=True)
    _, values, right = np.linalg.svd(relative.reshape(len(basis), 3 * group.n_sites), full_matrices=False)
    return right[values > 1e-6].reshape(-1, group.n_sites, 3)
