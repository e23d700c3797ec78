"""Irreps of O(3) in numpy: rotation matrices, 3j symbols and spherical harmonics up to l = 4.

The basis and the notation ("1e", "2o") are those of e3nn: the polar axis is y, the azimuth runs from z to x, and the
component m = -l ... l is proportional to sin(|m| phi) for m < 0 and to cos(m phi) for m >= 0. Hence "1o" is a vector
(x, y, z) and "2e" is (xz, xy, 2yy - xx - zz, yz, zz - xx) up to factors.

References
----------
M. Geiger and T. Smidt, "e3nn: Euclidean neural networks", arXiv:2207.09453 (2022): the basis.
A. R. Edmonds, "Angular momentum in quantum mechanics" (1957), eq. 3.6.11: the Clebsch-Gordan coefficients.
"""
# ruff: noqa: E741 (l is the name of the degree in every text)

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import comb, factorial, sqrt

import numpy as np

from .errors import InvalidInputError

L_MAX = 4


@dataclass(frozen=True, order=True)
class Irrep:
    """An irreducible representation of O(3).

    Attributes
    ----------
    l : int
        Degree, 0 to 4.
    parity : int
        +1 (even, "e") or -1 (odd, "o") under inversion.

    Examples
    --------
    >>> Irrep.parse("1e"), str(Irrep(2, -1)), Irrep(2, -1).dim
    (Irrep(l=1, parity=1), '2o', 5)
    """

    l: int
    parity: int

    def __post_init__(self) -> None:
        if self.l not in range(L_MAX + 1) or self.parity not in (1, -1):
            raise InvalidInputError(
                f"irrep of O(3): expected l from 0 to {L_MAX} and parity 1 or -1, received l={self.l!r}, "
                f"parity={self.parity!r}"
            )

    @classmethod
    def parse(cls, text: str) -> Irrep:
        """Read e3nn's notation, such as "1e" or "2o".

        Raises
        ------
        InvalidInputError
            If the text is not a degree followed by "e" or "o".
        """
        degree, letter = text.strip()[:-1], text.strip()[-1:]
        if not degree.isdecimal() or letter not in ("e", "o"):
            raise InvalidInputError(f'irrep of O(3): expected a degree and "e" or "o" such as "1e", received {text!r}')
        return cls(int(degree), 1 if letter == "e" else -1)

    def __str__(self) -> str:
        return f"{self.l}{'e' if self.parity == 1 else 'o'}"

    @property
    def dim(self) -> int:
        """Dimension 2 l + 1."""
        return 2 * self.l + 1


def spherical_harmonics(l: int, vectors: np.ndarray) -> np.ndarray:
    """Evaluate the real spherical harmonics of degree l in the directions of vectors.

    Parameters
    ----------
    l : int
        Degree, 0 to 4.
    vectors : (..., 3) float64
        Nonzero vectors of any length (only the direction counts; for l = 0 zero vectors are allowed).

    Returns
    -------
    (..., 2l+1) float64
        Y_l with |Y_l(r)| = 1 for every direction ("norm" in e3nn), so that Y_1(r) = r / |r|
        and Y_l(R r) = D^l(R) Y_l(r).
    """
    vectors = np.asarray(vectors, dtype=float)
    if l == 0:
        return np.ones((*vectors.shape[:-1], 1))
    x, y, z = np.moveaxis(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), -1, 0)
    azimuth = z + 1j * x
    out = np.empty((*x.shape, 2 * l + 1))
    for m in range(l + 1):
        scale = sqrt((2 if m else 1) * factorial(l - m) / factorial(l + m))
        polar = scale * np.polynomial.polynomial.polyval(y, _legendre_derivative(l, m))
        turning = azimuth**m
        out[..., l + m] = polar * turning.real
        if m:
            out[..., l - m] = polar * turning.imag
    return out


def wigner_d(irrep: Irrep, rotations: np.ndarray) -> np.ndarray:
    """Return the matrices of an irrep for elements of O(3).

    Parameters
    ----------
    irrep : Irrep
        The irrep.
    rotations : (..., 3, 3) float64
        Orthogonal matrices, proper or improper.

    Returns
    -------
    (..., 2l+1, 2l+1) float64
        D(R) = D^l(R det R), times det R if the irrep is odd; D(R S) = D(R) D(S).
    """
    rotations = np.asarray(rotations, dtype=float)
    sign = np.where(np.linalg.det(rotations) < 0, -1.0, 1.0)[..., None, None]
    points, inverse = _reference_points(irrep.l)
    turned = spherical_harmonics(irrep.l, np.einsum("...ij,pj->...pi", rotations * sign, points))
    matrices = np.swapaxes(turned, -1, -2) @ inverse
    return matrices if irrep.parity == 1 else matrices * sign


@cache
def wigner_3j(l1: int, l2: int, l3: int) -> np.ndarray:
    """Return the invariant tensor of three degrees.

    Parameters
    ----------
    l1, l2, l3 : int
        Degrees with |l1 - l2| <= l3 <= l1 + l2.

    Returns
    -------
    (2 l1 + 1, 2 l2 + 1, 2 l3 + 1) float64, read-only
        The tensor C of norm one with sum_ijk D^l1_ai D^l2_bj D^l3_ck C_ijk = C_abc, with e3nn's sign.

    Raises
    ------
    InvalidInputError
        If the degrees violate the triangle rule.
    """
    if not abs(l1 - l2) <= l3 <= l1 + l2:
        raise InvalidInputError(f"3j symbol: |l1 - l2| <= l3 <= l1 + l2 is needed, received {l1}, {l2}, {l3}")
    coupling = np.zeros((2 * l1 + 1, 2 * l2 + 1, 2 * l3 + 1))
    for m1 in range(-l1, l1 + 1):
        for m2 in range(max(-l2, -l3 - m1), min(l2, l3 - m1) + 1):
            coupling[l1 + m1, l2 + m2, l3 + m1 + m2] = _clebsch_gordan(l1, m1, l2, m2, l3)
    real = np.einsum(
        "abc,ai,bj,ck->ijk", coupling, _complex_basis(l1), _complex_basis(l2), _complex_basis(l3).conj()
    ).real
    real /= np.linalg.norm(real)
    real.setflags(write=False)
    return real


def symmetric_to_irreps(tensors: np.ndarray) -> np.ndarray:
    """Write symmetric matrices as 0e + 2e.

    Parameters
    ----------
    tensors : (..., 3, 3) float64
        Symmetric matrices T.

    Returns
    -------
    (..., 6) float64
        trace(T) / sqrt(3), then the five components of the traceless part in the basis of ``wigner_d``.
        The map is orthogonal: the Frobenius norm of T is the norm of the result.
    """
    return np.einsum("mij,...ij->...m", _symmetric_basis(), tensors)


def irreps_to_symmetric(components: np.ndarray) -> np.ndarray:
    """Rebuild symmetric matrices (..., 3, 3) from their 0e + 2e components (..., 6)."""
    return np.einsum("mij,...m->...ij", _symmetric_basis(), components)


@cache
def _symmetric_basis() -> np.ndarray:
    """Return six orthonormal symmetric matrices (6, 3, 3): 0e, then 2e."""
    quadrupoles = sqrt(5) * np.moveaxis(wigner_3j(1, 1, 2), -1, 0)
    return np.concatenate([np.eye(3)[None] / sqrt(3), quadrupoles])


@cache
def _legendre_derivative(l: int, m: int) -> np.ndarray:
    """Return the coefficients of the m-th derivative of the Legendre polynomial P_l, lowest power first."""
    power = np.polynomial.legendre.leg2poly([0.0] * l + [1.0])
    return np.polynomial.polynomial.polyder(power, m)


@cache
def _reference_points(l: int) -> tuple[np.ndarray, np.ndarray]:
    """Return directions (n, 3) and the matrix (n, 2l+1) that turns Y_l on them rotated by R into D^l(R)."""
    n = 4 * L_MAX * L_MAX
    height = (2 * np.arange(n) + 1) / n - 1
    angle = np.pi * (1 + sqrt(5)) * np.arange(n)  # a spiral that covers the sphere evenly
    radius = np.sqrt(1 - height**2)
    points = np.stack([radius * np.sin(angle), height, radius * np.cos(angle)], axis=-1)
    return points, np.linalg.pinv(spherical_harmonics(l, points)).T


@cache
def _complex_basis(l: int) -> np.ndarray:
    """Return the unitary matrix U (complex component, real component) with Y_complex = U Y_real, phase (-i)^l."""
    matrix = np.zeros((2 * l + 1, 2 * l + 1), dtype=complex)
    matrix[l, l] = 1
    for m in range(1, l + 1):
        sign = (-1) ** m
        matrix[l + m, [l + m, l - m]] = np.array([1, 1j]) * sign / sqrt(2)
        matrix[l - m, [l + m, l - m]] = np.array([1, -1j]) / sqrt(2)
    return (-1j) ** l * matrix


def _clebsch_gordan(l1: int, m1: int, l2: int, m2: int, l3: int) -> float:
    """Return <l1 m1 l2 m2 | l3 m1+m2> (Edmonds, eq. 3.6.11, written with binomials)."""
    m3 = m1 + m2
    total = sum(
        (-1) ** k * comb(l1 + l2 - l3, k) * comb(l1 - l2 + l3, l1 - m1 - k) * comb(-l1 + l2 + l3, l2 + m2 - k)
        for k in range(max(0, l2 + m2 + l1 - l2 - l3), min(l1 + l2 - l3, l1 - m1, l2 + m2) + 1)
    )
    up = factorial(l1 + m1) * factorial(l1 - m1) * factorial(l2 + m2) * factorial(l2 - m2)
    up *= factorial(l3 + m3) * factorial(l3 - m3) * (2 * l3 + 1)
    down = factorial(l1 + l2 - l3) * factorial(l1 - l2 + l3) * factorial(-l1 + l2 + l3) * factorial(l1 + l2 + l3 + 1)
    return total * sqrt(up / down)
