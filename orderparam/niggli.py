"""The Niggli reduced basis of a lattice."""

from __future__ import annotations

import numpy as np

from .errors import InvalidInputError


def niggli_reduce(lattice: np.ndarray, tolerance: float = 1e-5) -> tuple[np.ndarray, np.ndarray]:
    """Find the Niggli reduced basis of a lattice: ``reduced = transformation @ lattice``.

    Parameters
    ----------
    lattice : (3, 3) float64
        Rows, angstrom.
    tolerance : float
        Numbers that differ by less than this times volume^(1/3) are taken as equal.

    Returns
    -------
    reduced : (3, 3) float64
        Rows of the reduced basis, of the same handedness.
    transformation : (3, 3) int64
        Determinant +1.

    Raises
    ------
    InvalidInputError
        If the vectors span no volume.

    References
    ----------
    I. Krivy and B. Gruber, Acta Cryst. A32, 297 (1976), with the tolerances of R. W. Grosse-Kunstleve, N. K. Sauter
    and P. D. Adams, Acta Cryst. A60, 1 (2004).
    """
    volume = abs(np.linalg.det(lattice))
    if volume < 1e-12 * np.prod(np.linalg.norm(lattice, axis=1)) or volume == 0:
        raise InvalidInputError("the lattice vectors span no volume")
    # a first pass with no tolerance at all makes extreme cells short, where rounding is harmless
    transformation = _shorten(np.asarray(lattice, dtype=np.float64))
    epsilon = tolerance * volume ** (2.0 / 3.0)
    for _ in range(1000):
        vectors = transformation @ lattice
        step = _niggli_step(vectors @ vectors.T, epsilon)
        if step is None:
            return vectors, transformation
        transformation = step @ transformation
    raise InvalidInputError(f"Niggli reduction did not end: is the tolerance {tolerance:g} too large?")


def _shorten(lattice: np.ndarray) -> np.ndarray:
    """Return a proper integer transformation to pairwise reduced vectors (Gauss's step on every pair)."""
    transformation = np.eye(3, dtype=np.int64)
    for _ in range(1000):
        vectors = transformation @ lattice
        gram = vectors @ vectors.T
        quotients = np.rint(gram / np.diagonal(gram)).astype(np.int64)
        np.fill_diagonal(quotients, 0)
        gain = 2 * quotients * gram - quotients**2 * np.diagonal(gram)
        i, j = np.unravel_index(np.argmax(gain), (3, 3))
        if gain[i, j] <= 1e-9 * gram[i, i]:
            break
        transformation[i] -= quotients[i, j] * transformation[j]
    return transformation


def _niggli_step(gram: np.ndarray, epsilon: float) -> np.ndarray | None:
    """Return the next transformation (3, 3) of the Krivy-Gruber algorithm, or None when the form is reduced.

    With A, B, C the squares and xi, eta, zeta twice the products b.c, a.c, a.b; comparisons within `epsilon`.
    """
    a, b, c = np.diagonal(gram)
    xi, eta, zeta = 2 * gram[1, 2], 2 * gram[0, 2], 2 * gram[0, 1]

    def less(x: float, y: float) -> bool:
        return x < y - epsilon

    def equal(x: float, y: float) -> bool:
        return not less(x, y) and not less(y, x)

    if less(b, a) or (equal(a, b) and less(abs(eta), abs(xi))):
        return np.array([[0, -1, 0], [-1, 0, 0], [0, 0, -1]])
    if less(c, b) or (equal(b, c) and less(abs(zeta), abs(eta))):
        return np.array([[-1, 0, 0], [0, 0, -1], [0, -1, 0]])
    signs = _sign_step(np.array([xi, eta, zeta]), epsilon)
    if signs is not None:
        return signs
    # subtract a vector from a longer one that leans too much along it: (longer, shorter, product, square, tie)
    for i, j, product, square, tie in (
        (2, 1, xi, b, 2 * eta - zeta),
        (2, 0, eta, a, 2 * xi - zeta),
        (1, 0, zeta, a, 2 * xi - eta),
    ):
        # the third product of the tie at -square is zeta, or eta where the product is zeta itself
        other = eta if (i, j) == (1, 0) else zeta
        if (
            less(square, abs(product))
            or (equal(product, square) and less(tie, 0))
            or (equal(product, -square) and less(other, 0))
        ):
            step = np.eye(3, dtype=np.int64)
            step[i, j] = -int(np.sign(product))
            return step
    total = xi + eta + zeta + a + b
    if less(total, 0) or (equal(total, 0) and less(0, 2 * (a + eta) + zeta)):
        return np.array([[1, 0, 0], [0, 1, 0], [1, 1, 1]])
    return None


def _sign_step(products: np.ndarray, epsilon: float) -> np.ndarray | None:
    """Return the diagonal proper matrix that makes all products positive, or all at most 0; None if they are."""
    sign = np.where(products > epsilon, 1, np.where(products < -epsilon, -1, 0))
    wanted = 1 if np.prod(sign) > 0 else -1
    if wanted == 1 and np.all(sign == 1):
        return None
    if wanted == -1 and np.all(sign <= 0):
        return None
    # flips f_i of the vectors with det +1 turn the product opposite to vector i by f_i as well
    flips = np.where(sign == -wanted, -1, 1)
    if np.prod(flips) < 0:
        flips[np.flatnonzero(sign == 0)[-1]] = -1
    return np.diag(flips)
