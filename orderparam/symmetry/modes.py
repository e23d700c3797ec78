"""Symmetry-adapted modes: fields on the parent's sites that transform as a space-group irrep.

A representation of O(3) on the sites (displacements, pseudovectors, quadrupoles ...) is decomposed wave vector by wave
vector: only the sites of one primitive cell and the little group of one arm take part, whatever the supercell.

A function ``psi(site, t) = v_site exp(-2 pi i k . t)`` is multiplied by exp(+2 pi i k . t0) under the translation t0,
the convention of the irreps' matrices. The operation {W|w} turns it into the one with k' = k W^-1 and
``v'_site' = D(R) v_site exp(+2 pi i k' . shift)``, where W x_site + w = x_site' + shift.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from orderparam.parent import Parent
from orderparam.supercell import Supercell

from .parentirreps import ParentIrrep

_ZERO = 1e-7


@dataclass(frozen=True, eq=False)
class SiteRepresentation:
    """How the parent's operations act on a field on its sites.

    Attributes
    ----------
    targets, shifts : (n_operations, n_sites) int, (n_operations, n_sites, 3) int
        As in `Parent`.
    matrices : (n_operations, d, d)
        What each operation does with the value at a site.
    rotations : (n_operations, 3, 3) int
        Rotation parts, primitive basis.
    """

    targets: np.ndarray
    shifts: np.ndarray
    matrices: np.ndarray
    rotations: np.ndarray

    @classmethod
    def on_sites(cls, parent: Parent, matrices: np.ndarray, sites: list[int] | None = None) -> SiteRepresentation:
        """Return the representation on the given sites (whole orbits; all sites by default)."""
        sites = list(range(parent.crystal.n_sites)) if sites is None else sites
        place = {site: i for i, site in enumerate(sites)}
        targets = np.array([[place[int(site)] for site in row[sites]] for row in parent.targets])
        return cls(targets, parent.shifts[:, sites], matrices, parent.group.rotations)

    @classmethod
    def uniform(cls, parent: Parent, matrices: np.ndarray) -> SiteRepresentation:
        """Return the representation of a quantity of the whole crystal, such as strain."""
        n = parent.group.order
        return cls(np.zeros((n, 1), int), np.zeros((n, 1, 3), int), matrices, parent.group.rotations)

    @property
    def n_sites(self) -> int:
        """Number of sites in the primitive cell."""
        return self.targets.shape[1]

    @property
    def d(self) -> int:
        """Number of components per site."""
        return self.matrices.shape[1]

    def multiplicity(self, irrep: ParentIrrep) -> int:
        """Return how many copies of the real irrep the field holds, by characters.

        ``m = |P_k|^-1 sum_c chi_small(c)* sum_(fixed sites) tr D(R_c) exp(2 pi i k . shift)`` over the little co-group;
        a pseudo-real irrep is held in pairs, which make one real irrep.
        """
        little = self.little_group(irrep.k[0])
        small = irrep.irrep.small_dimension
        characters = np.einsum("caa->c", irrep.complex_matrices[little, :small, :small])
        fixed = self.targets[little] == np.arange(self.n_sites)
        phases = np.exp(2j * np.pi * self.shifts[little] @ irrep.k[0])
        traces = np.einsum("caa->c", self.matrices[little]) * (fixed * phases).sum(axis=1)
        count = round(float((characters.conj() * traces).sum().real) / len(little))
        return count // 2 if irrep.irrep.kind == -1 else count

    def little_group(self, k: np.ndarray) -> np.ndarray:
        """Return the operations whose rotation part keeps k modulo the reciprocal lattice."""
        images = k @ np.linalg.inv(self.rotations)
        gaps = images - k
        return np.flatnonzero((np.abs(gaps - np.rint(gaps)) < 1e-6).all(axis=1))

    def apply(self, operation: int, vectors: np.ndarray, k_image: np.ndarray) -> np.ndarray:
        """Apply one operation to Bloch vectors (..., n_sites, d); ``k_image`` is the wave vector that they get."""
        targets, shifts = self.targets[operation], self.shifts[operation]
        out = np.empty_like(vectors)
        phases = np.exp(2j * np.pi * shifts @ k_image)
        out[..., targets, :] = phases[:, None] * np.einsum("ab,...nb->...na", self.matrices[operation], vectors)
        return out


@dataclass(frozen=True, eq=False)
class SiteBlock:
    """A part of a field that every operation maps onto itself: some local components on one orbit.

    Attributes
    ----------
    site : int
        First site of the orbit.
    name : str
        Name of the local components, such as the irrep of the site group; empty for all components.
    axes : (n_sites, r, d)
        Orthonormal local components at every site of the orbit, zero elsewhere.
    """

    site: int
    name: str
    axes: np.ndarray

    @classmethod
    def whole_orbits(cls, representation: SiteRepresentation) -> tuple[SiteBlock, ...]:
        """Return one block for every orbit, with all local components."""
        orbits = representation.targets.min(axis=0)
        unit = np.eye(representation.d)
        return tuple(cls(int(o), "", (orbits == o)[:, None, None] * unit) for o in np.unique(orbits))


@dataclass(frozen=True, eq=False)
class ModeBasis:
    """An orthonormal basis of the fields that transform as one irrep.

    Attributes
    ----------
    irrep : ParentIrrep
    k : (n_k, 3)
        The wave vectors that occur: the star together with its negative, primitive basis.
    coefficients : (copies, dimension, n_k, n_sites, d) complex
        Fourier coefficients F of every mode; ``sum_k,site |F|^2 = 1``, so that the component of a mode is its Ap.
    sites : (copies,) int
        First site of the orbit on which each copy lives.
    site_irreps : tuple of str
        Name of the block of local components of each copy.
    """

    irrep: ParentIrrep
    k: np.ndarray
    coefficients: np.ndarray
    sites: np.ndarray
    site_irreps: tuple[str, ...]

    @property
    def copies(self) -> int:
        """Multiplicity of the irrep."""
        return len(self.coefficients)

    def components(self, coefficients: np.ndarray) -> np.ndarray:
        """Return the order-parameter components (copies, dimension) of a field's Fourier coefficients at `k`."""
        return np.einsum("mjqna,qna->mj", self.coefficients.conj(), coefficients).real

    def fields(self, components: np.ndarray) -> np.ndarray:
        """Return the Fourier coefficients (n_k, n_sites, d) of components (copies, dimension)."""
        return np.einsum("mjqna,mj->qna", self.coefficients, components)

    @cached_property
    def norms(self) -> np.ndarray:
        """Norm of every mode (copies, dimension): one."""
        return np.sqrt((np.abs(self.coefficients) ** 2).sum(axis=(2, 3, 4)))


def closed_star(k: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the wave vectors of a star together with their negatives, and for each the place of its negative."""
    arms = [*k]
    for arm in k:
        gaps = np.array(arms) + arm
        if not (np.abs(gaps - np.rint(gaps)) < 1e-6).all(axis=1).any():
            arms.append(-arm)
    closed = np.array(arms)
    gaps = closed[:, None] + closed[None]
    negative = (np.abs(gaps - np.rint(gaps)) < 1e-6).all(axis=2).argmax(axis=1)
    return closed, negative


def mode_basis(
    representation: SiteRepresentation, irrep: ParentIrrep, blocks: Sequence[SiteBlock] | None = None
) -> ModeBasis:
    """Return the modes of one irrep, block by block (orbit by orbit unless other blocks are given).

    Within each block the partner functions of the first row of the small irrep come from the projector
    ``P_a1 = (d/|P_k|) sum_c d(c)*_a1 T(c)`` applied to unit vectors in order; the other arms follow by the induction,
    ``psi_ib = sum_a D(h_i)*_(ib)(1a) T(h_i) psi_1a``; the real modes are Re(psi V), V the irrep's real form.
    """
    k, negative = closed_star(irrep.k)
    accepted: list[np.ndarray] = []
    owners: list[SiteBlock] = []
    for block in SiteBlock.whole_orbits(representation) if blocks is None else blocks:
        own: list[np.ndarray] = []
        for partners in _first_arm_partners(representation, irrep, block.axes):
            star = _over_star(representation, irrep, partners)
            for factor in (1.0, 1.0j):
                candidate = _real_modes(factor * star, irrep, len(k), negative)
                for known in own:
                    flat = known.reshape(known.shape[0], -1)
                    overlaps = np.real(candidate.reshape(len(candidate), -1) @ flat.conj().T)
                    candidate = candidate - np.tensordot(overlaps, known, axes=1)
                norm = np.sqrt((np.abs(candidate[0]) ** 2).sum())
                if norm > 1e-3:
                    own.append(candidate / norm)
        accepted += own
        owners += [block] * len(own)
    shape = (0, irrep.dimension, len(k), representation.n_sites, representation.d)
    coefficients = np.array(accepted) if accepted else np.zeros(shape, complex)
    return ModeBasis(irrep, k, coefficients, np.array([b.site for b in owners], int), tuple(b.name for b in owners))


def _first_arm_partners(representation: SiteRepresentation, irrep: ParentIrrep, axes: np.ndarray) -> list[np.ndarray]:
    """Return the partner functions (small, n_sites, d) at the first arm, one array per copy.

    They live on the local components `axes` (n_sites, r, d), zero on sites that do not take part.
    """
    k, small = irrep.k[0], irrep.irrep.small_dimension
    little = representation.little_group(k)
    n, d = representation.n_sites, representation.d
    places, rows_of = np.nonzero(np.abs(axes).max(axis=2) > _ZERO)
    size = len(places)
    units = np.zeros((size, n, d), complex)
    units[np.arange(size), places] = axes[places, rows_of]
    rows = irrep.complex_matrices[little][:, :small, 0].conj() * small / len(little)
    projected = np.zeros((small, size, n, d), complex)
    for c, row in zip(little, rows, strict=True):
        if np.abs(row).max() > _ZERO:
            projected += row[:, None, None, None] * representation.apply(int(c), units, k)
    found: list[np.ndarray] = []
    for unit in range(size):
        vector = projected[0, unit]
        partners = projected[:, unit]
        for known in found:
            overlap = np.vdot(known[0], vector)
            vector = vector - overlap * known[0]
            partners = partners - overlap * known
        norm = np.linalg.norm(vector)
        if norm > 1e-3:
            found.append(partners / norm)
    return found


def _over_star(representation: SiteRepresentation, irrep: ParentIrrep, partners: np.ndarray) -> np.ndarray:
    """Spread the partner functions of the first arm over the star: (complex_dimension, n_sites, d)."""
    small, arms = irrep.irrep.small_dimension, irrep.k
    images = arms[0] @ np.linalg.inv(representation.rotations)
    out = np.empty((small * len(arms), *partners.shape[1:]), complex)
    for i, arm in enumerate(arms):
        gaps = images - arm
        h = int((np.abs(gaps - np.rint(gaps)) < 1e-6).all(axis=1).argmax())
        block = irrep.complex_matrices[h, i * small : (i + 1) * small, :small]
        turned = representation.apply(h, partners, arm)
        out[i * small : (i + 1) * small] = np.tensordot(block.conj(), turned, axes=1)
    return out


def _real_modes(star: np.ndarray, irrep: ParentIrrep, n_k: int, negative: np.ndarray) -> np.ndarray:
    """Return the Fourier coefficients (dimension, n_k, n_sites, d) of Re(psi V)."""
    n_arms, small = len(irrep.k), irrep.irrep.small_dimension
    V = irrep.irrep.form.basis.reshape(n_arms, small, -1)
    z = np.zeros((V.shape[2], n_k, *star.shape[1:]), complex)
    z[:, :n_arms] = np.einsum("iar,iand->rind", V, star.reshape(n_arms, small, *star.shape[1:]))
    return (z + z[:, negative].conj()) / 2


def expand(basis: ModeBasis, supercell: Supercell, components: np.ndarray) -> np.ndarray:
    """Return the field (n_atoms, d) on a supercell's atoms of components (copies, dimension)."""
    return supercell.synthesise(basis.fields(components), basis.k)


def part_norms(
    representation: SiteRepresentation,
    irreps: list[ParentIrrep],
    supercell: Supercell,
    values: np.ndarray,
    sites: list[int] | None = None,
) -> np.ndarray:
    """Return the norm (Ap) of every irrep's part of a field (n_atoms, d), by characters alone.

    With `sites` (those of the representation) only the field on copies of these sites counts.

    ``|P f|^2 = sum_arms (d/|P_k|) sum_c chi*(c) <f_k, T(c) f_k>``, twice that for a complex irrep, whose conjugate is
    part of the real irrep. No basis is built; `ModeBasis.components` gives the same norms.
    """
    squares = np.zeros(len(irreps))
    same_star: dict[bytes, list[int]] = {}
    for i, irrep in enumerate(irreps):
        same_star.setdefault(np.round(irrep.k, 6).tobytes(), []).append(i)
    for members in same_star.values():
        arms = irreps[members[0]].k
        coefficients = supercell.fourier(values, arms)
        coefficients = coefficients if sites is None else coefficients[:, sites]
        for arm, (k, vector) in enumerate(zip(arms, coefficients, strict=True)):
            if np.abs(vector).max() > 1e-14:
                little, overlaps = _overlaps(representation, k, vector)
                for i in members:
                    squares[i] += _arm_square(irreps[i], arm, little, overlaps)
    doubled = np.array([2.0 if irrep.irrep.kind == 0 else 1.0 for irrep in irreps])
    return np.sqrt(np.maximum(squares, 0.0) * doubled)


def _overlaps(representation: SiteRepresentation, k: np.ndarray, vector: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the little group of k and <f_k, T(c) f_k> for its operations."""
    little = representation.little_group(k)
    turned = np.matmul(vector[None], np.swapaxes(representation.matrices[little], 1, 2))
    phases = np.exp(2j * np.pi * representation.shifts[little] @ k)
    images = vector.conj()[representation.targets[little]]
    return little, ((images * turned).sum(axis=2) * phases).sum(axis=1)


def _arm_square(irrep: ParentIrrep, arm: int, little: np.ndarray, overlaps: np.ndarray) -> float:
    """Return the squared norm of an irrep's part at one arm."""
    small = irrep.irrep.small_dimension
    block = slice(arm * small, (arm + 1) * small)
    characters = np.einsum("caa->c", irrep.complex_matrices[little, block, block])
    return float((characters.conj() * overlaps).sum().real) * small / len(little)
