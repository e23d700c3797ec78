"""The real forms of complex irreps of space groups.

Conventions are those of irreps.py. The average over a space group of D(g) X D(g)^T needs the coset representatives
only, if X connects arm i with an arm congruent to -k_i: translations leave such an X alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .irreptable import TRANSLATION_DENOMINATOR, Star

_ZERO = 1e-9


@dataclass(frozen=True)
class RealForm:
    """A real representation, by the matrices of the coset representatives and the action of translations.

    With theta = 2 pi k_a.t, a the arm of row r: R({W_c|w_c + t})[r] = cos theta R(c)[r] + s_r sin theta R(c)[p_r].

    Attributes
    ----------
    matrices : (n, d, d) float64
        R({W_c|w_c}), orthogonal.
    arms : (d,) int64
        Arm of each component.
    partners, signs : (d,) int64
        p_r and s_r: real parts have their imaginary part and -1, imaginary parts their real part and 1; components of
        arms with 2k = 0 have themselves and 0.
    basis : (complex_dimension, d) complex128
        Real vectors of the complex irrep: if functions psi_A transform by D, then the real functions
        ``Re(sum_A psi_A basis[A, r])`` transform by R.
    """

    matrices: np.ndarray
    arms: np.ndarray
    partners: np.ndarray
    signs: np.ndarray
    basis: np.ndarray

    def __post_init__(self) -> None:
        for array in (self.matrices, self.arms, self.partners, self.signs, self.basis):
            array.setflags(write=False)


def frobenius_schur_indicator(star: Star, matrices: np.ndarray) -> int:
    """Return 1, 0 or -1 for a real, complex or pseudo-real irrep of the whole space group.

    nu = |G|^-1 sum_g chi(g^2); the sum over translations leaves the c that send k_0 to -k_0 (Herring's test):
    nu = |P_k|^-1 sum_c chi_0(c c), chi_0 the character of the small irrep at k_0 and P_k the little co-group.
    """
    if star.opposites[0] < 0:
        return 0
    reversing = np.flatnonzero(star.images[:, 0] == star.opposites[0])
    squares, lattice = (values[reversing] for values in star.table.squares)
    phases = star.phases(lattice / TRANSLATION_DENOMINATOR)[:, 0]
    total = np.sum(phases * _small_characters(star, matrices[squares], 0))
    return round(np.real(total) / len(star.little_cosets))


def conjugate_index(star: Star, matrices: np.ndarray, candidates: list[np.ndarray]) -> int:
    """Return which candidate at the same star is the conjugate of an irrep, by small characters at k_0."""
    little = star.little_cosets
    wanted = np.conj(_small_characters(star, matrices[little], star.opposites[0]))
    for index, candidate in enumerate(candidates):
        if np.allclose(_small_characters(star, candidate[little], 0), wanted, rtol=0, atol=1e-6):
            return index
    raise ArithmeticError("the conjugate of an irrep is not among those of its star")


def real_form(star: Star, matrices: np.ndarray, indicator: int) -> RealForm:
    """Bring a complex irrep D (n, d, d) to its real form, of dimension d (indicator 1) or 2d (indicator 0 or -1)."""
    if indicator != 1:
        return _doubled_form(star.n_arms, matrices)
    if star.opposites[0] == 0:  # every such irrep of the table is real as it stands
        d = matrices.shape[1]
        arms = np.repeat(np.arange(star.n_arms), d // star.n_arms)
        return _with_parts(np.real(matrices), arms, np.zeros(d, dtype=int), np.eye(d, dtype=complex))
    V, arms, parts = _paired_basis(star, matrices)
    return _with_parts(np.real(V.conj().T @ matrices @ V), arms, parts, V)


def _small_characters(star: Star, matrices: np.ndarray, arm: int) -> np.ndarray:
    """Return the traces of the diagonal blocks (n, d, d) -> (n,) that belong to an arm."""
    small = matrices.shape[1] // star.n_arms
    block = slice(arm * small, (arm + 1) * small)
    return np.einsum("caa->c", matrices[:, block, block])


def _with_parts(matrices: np.ndarray, arms: np.ndarray, parts: np.ndarray, basis: np.ndarray) -> RealForm:
    """Complete a real form whose components are real parts (1), imaginary parts (-1) or neither (0), block by block."""
    shift = np.bincount(arms)[arms] // 2
    return RealForm(matrices, arms, np.arange(len(arms)) + parts * shift, -parts, basis)


def _doubled_form(n_arms: int, matrices: np.ndarray) -> RealForm:
    """Return [[Re, -Im], [Im, Re]] with the real and imaginary parts of each arm side by side."""
    n, d, _ = matrices.shape
    small = d // n_arms
    blocks = matrices.reshape(n, n_arms, small, n_arms, small)
    real = np.empty((n, n_arms, 2, small, n_arms, 2, small))
    real[:, :, 0, :, :, 0] = real[:, :, 1, :, :, 1] = np.real(blocks)
    real[:, :, 0, :, :, 1] = -np.imag(blocks)
    real[:, :, 1, :, :, 0] = np.imag(blocks)
    parts = np.tile(np.repeat([1, -1], small), n_arms)
    basis = np.zeros((n_arms, small, n_arms, 2, small), dtype=complex)
    diagonal = np.arange(n_arms)
    basis[diagonal, :, diagonal, 0] = np.eye(small)
    basis[diagonal, :, diagonal, 1] = 1j * np.eye(small)
    arms = np.repeat(np.arange(n_arms), 2 * small)
    return _with_parts(real.reshape(n, 2 * d, 2 * d), arms, parts, basis.reshape(d, 2 * d))


def _paired_basis(star: Star, matrices: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return V for arms i, -i: its columns are the real vectors (z, U_-i,i z*)/sqrt 2 at z = f e_m and z = i f e_m.

    The phase f is chosen so that the first element that reverses the arm (inversion, if the group holds it) acts on z
    as z -> N z*, with the first entry of N real and positive: the axes are the high-symmetry directions.
    """
    d = matrices.shape[1]
    small = d // star.n_arms
    blocks = [slice(arm * small, (arm + 1) * small) for arm in range(star.n_arms)]
    U = _intertwiner(matrices, small, star.opposites[0])
    inversion = np.flatnonzero((star.table.rotations == -np.eye(3)).all(axis=(1, 2)))
    V = np.zeros((d, d), dtype=complex)
    arms, parts, column = [], [], 0
    for arm, opposite in enumerate(star.opposites):
        if opposite < arm:
            continue
        reversing = inversion if len(inversion) else np.flatnonzero(star.images[:, arm] == opposite)
        N = matrices[reversing[0]][blocks[arm], blocks[opposite]] @ U[blocks[opposite], blocks[arm]]
        f = np.sqrt(_phase(N)) / np.sqrt(2)
        for z in (f, 1j * f):
            columns = slice(column, column + small)
            V[blocks[arm], columns] = z * np.eye(small)
            V[blocks[opposite], columns] = np.conj(z) * U[blocks[opposite], blocks[arm]]
            column += small
        arms += [arm] * (2 * small)
        parts += [1] * small + [-1] * small
    return V, np.array(arms), np.array(parts)


def _intertwiner(matrices: np.ndarray, small: int, opposite: int) -> np.ndarray:
    """Return the unitary U, unique up to a phase, with U D* U^+ = D: the group average of a matrix unit.

    sum_c D(c) E_ab D(c)^T with a in arm 0 and b in the arm of -k; some a, b give a result that is not zero.
    """
    for a in range(small):
        for b in range(opposite * small, (opposite + 1) * small):
            U = matrices[:, :, a].T @ matrices[:, :, b]
            scale = np.linalg.norm(U[0])
            if scale > _ZERO:
                return U / scale
    raise ArithmeticError("no intertwiner between an irrep and its conjugate: the indicator is not 1")


def _phase(values: np.ndarray) -> complex:
    """Return the phase factor of the first entry, row by row, that is not zero."""
    first = values.ravel()[np.argmax(np.abs(values.ravel()) > _ZERO)]
    phase = first / abs(first)
    return complex(phase.real, 0.0 if abs(phase.imag) < _ZERO else phase.imag)
