"""Integer and metric mathematics of lattices.

Basis vectors are rows, so a lattice is ``{n @ basis : n in Z^3}`` and a change of basis is ``transformation @ basis``.
What is integer stays integer: supercells, their translations and sublattices are exact; lengths are float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import lcm

import numpy as np

from .errors import InvalidInputError
from .niggli import niggli_reduce

_NEIGHBOURS = np.stack(np.meshgrid(*3 * [[-1, 0, 1]], indexing="ij"), axis=-1).reshape(-1, 3)


def cell_vectors(
    lengths: Sequence[float] | np.ndarray, angles: Sequence[float] | np.ndarray, where: str = ""
) -> np.ndarray:
    """Return basis vectors as rows (3, 3) of a cell: c along z and a in the xz plane, so that beta lies between them.

    Parameters
    ----------
    lengths, angles : a, b, c and alpha, beta, gamma, degrees
    where : str
        Begins the message.

    Raises
    ------
    InvalidInputError
        When lengths and angles span no cell.

    Examples
    --------
    >>> cell_vectors((2, 3, 4), (90, 90, 90)).tolist()
    [[2.0, 0.0, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, 4.0]]
    """
    cosines = np.cos(np.radians(angles))
    cosines[np.abs(cosines) < 1e-15] = 0.0  # a right angle in degrees is one in the cell
    alpha, beta, gamma = cosines.tolist()
    volume = 1 + 2 * alpha * beta * gamma - alpha**2 - beta**2 - gamma**2  # squared, of unit lengths
    if min(lengths) <= 0 or volume < 1e-12 or not all(0 < angle < 180 for angle in angles):
        given = " ".join(f"{value:g}" for value in (*lengths, *angles))
        raise InvalidInputError(f"{where}{': ' if where else ''}no cell has these lengths and angles: {given}")
    sin_alpha, sin_beta = np.sqrt([1 - alpha**2, 1 - beta**2])
    star = (alpha * beta - gamma) / (sin_alpha * sin_beta)  # the cosine of gamma* in the reciprocal cell
    units = [
        [sin_beta, 0.0, beta],
        [-sin_alpha * star + 0.0, np.sqrt(volume) / sin_beta, alpha],
        [0.0, 0.0, 1.0],
    ]
    return np.array(lengths, float)[:, None] * units


def with_a_along_x(lattice: np.ndarray) -> np.ndarray:
    """Return a cell (3, 3) turned so that a is along x and b in the xy plane, right-handed."""
    return np.linalg.cholesky(lattice @ lattice.T)


def determinant(matrix: np.ndarray) -> np.ndarray:
    """Return the exact determinants of integer matrices (..., 3, 3), as int64 (...)."""
    m = np.asarray(matrix, dtype=np.int64)
    return np.einsum("...a,...a->...", m[..., 0, :], np.cross(m[..., 1, :], m[..., 2, :]))


def adjugate(matrix: np.ndarray) -> np.ndarray:
    """Return the exact adjugates of integer matrices (..., 3, 3): ``A @ adjugate(A) = det(A) 1``."""
    m = np.asarray(matrix, dtype=np.int64)
    columns = [np.cross(m[..., (i + 1) % 3, :], m[..., (i + 2) % 3, :]) for i in range(3)]
    return np.stack(columns, axis=-1)


def unimodular_inverse(matrix: np.ndarray) -> np.ndarray:
    """Return the exact inverses of integer matrices (..., 3, 3) of determinant +1 or -1.

    Raises
    ------
    InvalidInputError
        If a determinant is not +1 or -1.
    """
    det = determinant(matrix)
    if not np.all(np.abs(det) == 1):
        raise InvalidInputError(
            f"expected integer matrices of determinant +1 or -1, received {np.unique(det).tolist()}"
        )
    return adjugate(matrix) * det[..., None, None]


def common_denominator(
    values: np.ndarray, max_denominator: int = 48, tolerance: float = 1e-6
) -> tuple[np.ndarray, int]:
    """Write real numbers as integers over one denominator: ``values = numerators / denominator``.

    Parameters
    ----------
    values : (...) float64
        Numbers that are meant to be simple fractions.

    Raises
    ------
    InvalidInputError
        If a value is further than `tolerance` from every fraction with a denominator up to `max_denominator`.
    """
    array = np.asarray(values, dtype=np.float64)
    fractions = [Fraction(float(value)).limit_denominator(max_denominator) for value in array.flat]
    for value, fraction in zip(array.flat, fractions, strict=True):
        if abs(value - float(fraction)) > tolerance:
            raise InvalidInputError(f"{value:.6g} is not a fraction with a denominator up to {max_denominator}")
    denominator = lcm(*(fraction.denominator for fraction in fractions))
    numerators = [int(fraction * denominator) for fraction in fractions]
    return np.array(numerators, dtype=np.int64).reshape(array.shape), denominator


# --- integer lattices ---------------------------------------------------------------------------------------------


def hermite_normal_form(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bring integer rows (m, d) to Hermite normal form: ``H = U @ rows`` with a unimodular U (m, m).

    The non-zero rows of H stand first, in echelon form with positive pivots; above a pivot p every entry x has
    ``0 <= x < p``. H is the same for all generating sets of one row lattice (with m equal up to rows of zeros).

    Returns
    -------
    H : (m, d) int64
    U : (m, m) int64
    """
    rows = np.asarray(rows, dtype=np.int64)
    m, d = rows.shape
    work = np.concatenate([rows, np.eye(m, dtype=np.int64)], axis=1)
    _to_echelon(work, d)
    return work[:, :d], work[:, d:]


def lattice_basis(rows: np.ndarray) -> np.ndarray:
    """Return the canonical (Hermite) basis (rank, d) of the lattice that integer rows (m, d) generate."""
    work = np.unique(np.asarray(rows, dtype=np.int64), axis=0)
    rank = _to_echelon(work, work.shape[1])
    return work[:rank]


def _to_echelon(work: np.ndarray, n_columns: int) -> int:
    """Reduce the rows of `work` in place by Euclid's algorithm on its first columns; return the rank."""
    pivot_row = 0
    for column in range(n_columns):
        while True:
            below = pivot_row + np.flatnonzero(work[pivot_row:, column])
            if len(below) == 0:
                break
            smallest = below[np.argmin(np.abs(work[below, column]))]
            work[[pivot_row, smallest]] = work[[smallest, pivot_row]]
            if work[pivot_row, column] < 0:
                work[pivot_row] *= -1
            quotients = work[:, column] // work[pivot_row, column]
            quotients[pivot_row] = 0
            work -= quotients[:, None] * work[pivot_row]
            if not np.any(work[pivot_row + 1 :, column]):
                pivot_row += 1
                break
    return pivot_row


def dual_basis(numerators: np.ndarray, denominator: int = 1) -> tuple[np.ndarray, int]:
    """Return the basis of the dual of a rational lattice: all t with ``k . t`` integer for every k of the lattice.

    Parameters
    ----------
    numerators : (m, 3) int
        Generators of a lattice of rank 3, as rows, times `denominator`.

    Returns
    -------
    numerators : (3, 3) int64
        Canonical basis of the dual lattice, as rows, times the returned denominator.
    denominator : int
    """
    basis = lattice_basis(numerators)
    if len(basis) != 3:
        raise InvalidInputError(f"expected generators of a lattice of rank 3, received rank {len(basis)}")
    det = int(determinant(basis))
    dual = lattice_basis(adjugate(basis).T * denominator)
    divisor = int(np.gcd.reduce([det, *dual.ravel().tolist()]))
    return dual // divisor, det // divisor


def invariant_sublattice(supercell: np.ndarray, rotations: np.ndarray) -> np.ndarray:
    """Return the largest sublattice T_S of the supercell's lattice that a point group maps onto itself.

    T_S is the intersection of the images ``{t W^T}`` of the lattice of the rows of S, computed as the dual of the sum
    of their duals: the rows of ``S^-T W^-1``, the wave vectors (k -> k W^-1) commensurate with the supercell.

    Parameters
    ----------
    supercell : (3, 3) int
        S, rows in the primitive basis.
    rotations : (n, 3, 3) int
        The point group, acting on fractional columns of the primitive basis.

    Returns
    -------
    (3, 3) int64
        Canonical basis of T_S, as rows in the primitive basis.
    """
    det = int(determinant(supercell))
    generators = adjugate(supercell).T @ unimodular_inverse(rotations)
    basis, denominator = dual_basis(generators.reshape(-1, 3), det)
    return basis // denominator


@dataclass(frozen=True, eq=False)
class QuotientLattice:
    """The finite group of the translations Z^3 modulo those of a supercell.

    Attributes
    ----------
    supercell : (3, 3) int64
        Rows: the supercell's vectors in the primitive basis; any basis of the same lattice gives the same group.

    Every translation has one canonical representative: the one with ``0 <= t_i < H_ii`` for the Hermite normal form H
    of the supercell.

    Examples
    --------
    >>> quotient = QuotientLattice(np.array([[1, 1, 0], [-1, 1, 0], [0, 0, 2]]))
    >>> quotient.representatives.tolist()
    [[0, 0, 0], [0, 0, 1], [0, 1, 0], [0, 1, 1]]
    >>> quotient.index(np.array([[1, 0, 3], [1, 1, 0]])).tolist()
    [3, 0]
    """

    supercell: np.ndarray

    def __post_init__(self) -> None:
        matrix = np.array(self.supercell)
        if matrix.shape != (3, 3) or not np.array_equal(matrix, np.rint(matrix)) or determinant(matrix) == 0:
            raise InvalidInputError(f"a supercell is an invertible 3x3 integer matrix, received {matrix.tolist()}")
        matrix = matrix.astype(np.int64)
        matrix.setflags(write=False)
        object.__setattr__(self, "supercell", matrix)

    @cached_property
    def hermite(self) -> np.ndarray:
        """Hermite normal form (3, 3) of the supercell."""
        return lattice_basis(self.supercell)

    @cached_property
    def order(self) -> int:
        """Number of translations: the number of primitive cells in the supercell."""
        return int(np.prod(np.diagonal(self.hermite)))

    @cached_property
    def representatives(self) -> np.ndarray:
        """Canonical representatives (order, 3) in the order of their index."""
        return np.stack(np.unravel_index(np.arange(self.order), np.diagonal(self.hermite)), axis=-1).astype(np.int64)

    def reduce(self, translations: np.ndarray) -> np.ndarray:
        """Return the canonical representatives (..., 3) of integer translations (..., 3)."""
        reduced = np.array(translations, dtype=np.int64)
        for row, vector in enumerate(self.hermite):
            reduced -= (reduced[..., row] // vector[row])[..., None] * vector
        return reduced

    def index(self, translations: np.ndarray) -> np.ndarray:
        """Return the positions (...) of integer translations (..., 3) in `representatives`."""
        reduced = self.reduce(translations)
        _, n_b, n_c = np.diagonal(self.hermite)
        return (reduced[..., 0] * n_b + reduced[..., 1]) * n_c + reduced[..., 2]


# --- metric lattices ----------------------------------------------------------------------------------------------


def cell_parameters(lattice: np.ndarray) -> np.ndarray:
    """Return a, b, c (angstrom) and alpha, beta, gamma (degrees) of a row lattice (3, 3)."""
    gram = lattice @ lattice.T
    lengths = np.sqrt(np.diagonal(gram))
    cosines = np.array([gram[1, 2], gram[0, 2], gram[0, 1]]) / (lengths[[1, 0, 0]] * lengths[[2, 2, 1]])
    return np.concatenate([lengths, np.degrees(np.arccos(np.clip(cosines, -1.0, 1.0)))])


def lattice_points_within(lattice: np.ndarray, radius: float) -> np.ndarray:
    """List the integer coefficients (n, 3) of all lattice vectors not longer than `radius` (angstrom), 0 included.

    The i-th coefficient of a vector of length r is at most r times the length of the i-th reciprocal vector.
    """
    bounds = np.floor(radius * np.linalg.norm(np.linalg.inv(lattice), axis=0) + 1e-9).astype(int)
    axes = [np.arange(-bound, bound + 1) for bound in bounds]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    return points[np.linalg.norm(points @ lattice, axis=1) <= radius * (1 + 1e-9)]


def shortest_images(differences: np.ndarray, lattice: np.ndarray) -> np.ndarray:
    """Move fractional differences by lattice vectors so that they become as short as possible.

    Parameters
    ----------
    differences : (..., 3) float64
        Fractional, of any size.
    lattice : (3, 3) float64
        Rows, angstrom; need not be reduced.

    Returns
    -------
    (..., 3) float64
        Fractional, in the same basis; the distances are ``norm(images @ lattice)``.
    """
    reduced, transformation = niggli_reduce(lattice)
    return shortest_images_reduced(differences @ unimodular_inverse(transformation), reduced) @ transformation


def shortest_images_reduced(differences: np.ndarray, lattice: np.ndarray) -> np.ndarray:
    """Do the work of `shortest_images` in a basis that is known to be Niggli reduced."""
    wrapped = np.reshape(differences - np.rint(differences), (-1, 3))
    # within half of the shortest lattice vector no other image can be shorter
    squares = np.sum((wrapped @ lattice) ** 2, axis=1)
    far = np.flatnonzero(squares > 0.25 * np.sum(lattice**2, axis=1).min())
    if len(far):
        # |w + n|^2 - |w|^2 for the 27 neighbours n, which suffice in a reduced basis; of equal images w is kept
        steps = _NEIGHBOURS @ lattice
        gains = 2 * (wrapped[far] @ lattice) @ steps.T + np.sum(steps**2, axis=1) + 1e-10 * np.any(_NEIGHBOURS, axis=1)
        wrapped[far] += _NEIGHBOURS[np.argmin(gains, axis=1)]
    return wrapped.reshape(np.shape(differences))


def shortest_distances(differences: np.ndarray, lattice: np.ndarray) -> np.ndarray:
    """Return the lengths (...) in angstrom of the shortest images of fractional differences (..., 3)."""
    return np.linalg.norm(shortest_images(differences, lattice) @ lattice, axis=-1)
