"""Measures of how far an octahedron is from a regular one.

All take vectors (..., 6, 3) from the centre to the ligands in the order +1, -1, +2, -2, +3, -3 of
`network.OctahedralNetwork`, angstrom.
"""

from __future__ import annotations

from itertools import product

import numpy as np

_FACES = tuple((0 + (s < 0), 2 + (t < 0), 4 + (u < 0), s * t * u) for s, t, u in product((1, -1), repeat=3))
_CIS = tuple((i, j) for i in range(6) for j in range(i + 1, 6) if i // 2 != j // 2)


def bond_lengths(vectors: np.ndarray) -> np.ndarray:
    """Return the distances from centre to ligands (..., 6), angstrom."""
    return np.linalg.norm(vectors, axis=-1)


def baur_index(vectors: np.ndarray) -> np.ndarray:
    """Return Baur's distortion index ``D = 1/6 sum_i |l_i - l| / l`` with l the mean bond length.

    W. H. Baur, Acta Cryst. B30, 1195 (1974).
    """
    lengths = bond_lengths(vectors)
    mean = lengths.mean(axis=-1, keepdims=True)
    return (np.abs(lengths - mean) / mean).mean(axis=-1)


def shannon_delta(vectors: np.ndarray) -> np.ndarray:
    """Return Shannon's bond-length distortion ``Delta = 1/6 sum_i ((l_i - l) / l)^2`` with l the mean bond length.

    R. D. Shannon, Acta Cryst. A32, 751 (1976).
    """
    lengths = bond_lengths(vectors)
    mean = lengths.mean(axis=-1, keepdims=True)
    return (((lengths - mean) / mean) ** 2).mean(axis=-1)


def angle_variance(vectors: np.ndarray) -> np.ndarray:
    """Return the bond angle variance ``sigma^2 = 1/11 sum_i (theta_i - 90)^2`` of the twelve angles, degrees squared.

    K. Robinson, G. V. Gibbs & P. H. Ribbe, Science 172, 567 (1971).
    """
    units = vectors / bond_lengths(vectors)[..., None]
    first, second = np.array(_CIS).T
    cosines = np.einsum("...ia,...ia->...i", units[..., first, :], units[..., second, :])
    return ((np.degrees(np.arccos(np.clip(cosines, -1, 1))) - 90) ** 2).sum(axis=-1) / 11


def volume(vectors: np.ndarray) -> np.ndarray:
    """Return the volume of the octahedron, cubic angstrom: eight tetrahedra from the centre to the faces."""
    return np.sum([sign * np.linalg.det(vectors[..., [i, j, k], :]) for i, j, k, sign in _FACES], axis=0) / 6


def quadratic_elongation(vectors: np.ndarray) -> np.ndarray:
    """Return the mean quadratic elongation ``<lambda> = 1/6 sum_i (l_i / l_0)^2``.

    l_0 is the bond length of the regular octahedron of the same volume, ``V = 4/3 l_0^3``.
    Robinson, Gibbs & Ribbe, Science 172, 567 (1971).
    """
    regular = np.cbrt(0.75 * volume(vectors))
    return ((bond_lengths(vectors) / regular[..., None]) ** 2).mean(axis=-1)


def pair_lengths(vectors: np.ndarray, rotations: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Return half the distance of each pair of opposite ligands, along the octahedron's own axes (..., 3), angstrom.

    Parameters
    ----------
    vectors : (..., 6, 3)
    rotations : (..., 3, 3)
        Of the octahedra out of the parent.
    axes : (..., 3, 3)
        Rows: where the three pairs point in the parent, unit vectors.
    """
    own = np.einsum("...ab,...kb->...ka", rotations, axes)
    return np.einsum("...ka,...ka->...k", vectors[..., ::2, :] - vectors[..., 1::2, :], own) / 2


def van_vleck(lengths: np.ndarray, principal: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Return Van Vleck's Q2 and Q3, angstrom.

    ``Q2 = (X1 - X4 - Y2 + Y5) / sqrt 2`` and ``Q3 = (2 Z3 - 2 Z6 - X1 + X4 - Y2 + Y5) / sqrt 6``, where X1 ... Z6 are
    the displacements of the ligands at +x, +y, +z, -x, -y, -z along the octahedron's own axes: with the half distances
    x, y, z of opposite ligands ``Q2 = sqrt 2 (x - y)`` and ``Q3 = 2 (2 z - x - y) / sqrt 6``.

    J. Kanamori, J. Appl. Phys. 31, 14S (1960), eq. 1.

    Parameters
    ----------
    lengths : (..., 3)
        As `pair_lengths` returns them.
    principal : int
        Number of the axis that is called z; x and y follow in cyclic order.

    Examples
    --------
    The bonds of LaMnO3, 2.18, 1.91 and 1.97 angstrom:

    >>> [round(float(q), 2) for q in van_vleck(np.array([2.18, 1.91, 1.97]))]
    [0.38, -0.12]
    """
    x, y, z = (lengths[..., (principal + n) % 3] for n in (1, 2, 3))
    return np.sqrt(2) * (x - y), 2 * (2 * z - x - y) / np.sqrt(6)


def principal_axis(lengths: np.ndarray, tolerance: float = 1e-4) -> int:
    """Return the axis to call z: along it octahedra (N, 3) differ least; among equals the one with the largest |Q3|.

    In a manganite long and short bonds alternate in a plane, and z is perpendicular to it; where all octahedra are
    alike, z is the axis of their elongation.
    """
    spread = lengths.std(axis=0)
    candidates = np.flatnonzero(spread < spread.min() + tolerance)
    size = [float(np.abs(van_vleck(lengths, int(k))[1]).mean()) for k in candidates]
    return int(max(zip(np.round(size, 6), candidates, strict=True))[1])
