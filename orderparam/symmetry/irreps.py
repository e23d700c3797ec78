"""Space-group irreps: names, stars, real matrices.

Everything is given in the conventional setting of the ISOTROPY tables (see irreptable.py) and refers to the elements
{W_c|w_c + t}: c counts the tabulated coset representatives, t is a lattice translation. Matrices are true
representations of the active action, D(g1 g2) = D(g1) D(g2) with {W|w}{V|v} = {W V|W v + w}, and a translation acts as
D({1|t}) = exp(2 pi i k_i.t) on arm i.

Physically irreducible (real) representations, by the Frobenius-Schur indicator of the complex irrep D:

- 1: D is equivalent to a real representation. Where 2k is a reciprocal lattice vector the tabulated matrices are real
  and stay as they are, and with them ISOTROPY's direction symbols. Elsewhere R = V^+ D V with D = U D* U^+: arms i, -i
  belong together, their real vectors are (z, U_-i,i z*)/sqrt 2, and the components of the pair are Re z, Im z.
- 0 and -1: the vectors z of D themselves, with components Re z, Im z arm by arm: [[Re, -Im], [Im, Re]].
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import combinations, product
from typing import NamedTuple

import numpy as np

from orderparam.errors import InvalidInputError

from .irreptable import TRANSLATION_DENOMINATOR, GroupTable, KType, Star, common_denominator, irrep_matrices, load_table
from .labels import format_k, k_letters, partner_label, split_label
from .realform import RealForm, conjugate_index, frobenius_schur_indicator, real_form

Wavevector = tuple[Fraction, Fraction, Fraction]
_LARGEST_DENOMINATOR = 10_000
_BOX = np.array(list(product(range(-2, 3), repeat=3)))


class CosetRepresentatives(NamedTuple):
    """Coset representatives {W_c|w_c} of a space group modulo its lattice translations.

    ``rotations`` (n, 3, 3) int64; ``translations`` (n, 3) int64 numerators over 24.
    """

    rotations: np.ndarray
    translations: np.ndarray


@dataclass(frozen=True)
class SpaceGroupIrrep:
    """A physically irreducible representation of a space group, over the whole star.

    Attributes
    ----------
    number : int
        Space group.
    label : str
        Miller-Love label as ISOTROPY prints it, both names where two complex irreps are joined: R4+, R1-R3-, LD1LE1.
    k : tuple of three Fraction
        First arm, conventional reciprocal basis.
    kind : int
        Frobenius-Schur indicator of the complex irrep of the whole space group: 1 real; 0 not equivalent to its
        conjugate; -1 pseudo-real, equivalent to its conjugate and still not real.
    star : Star
        All arms of the complex irrep, exactly.
    complex_matrices : (n, complex_dimension, complex_dimension) complex128
        D({W_c|w_c}) of the complex irrep (the first of two); row block i belongs to arm i.

    Examples
    --------
    >>> tilt = irrep_named(221, "R4+")
    >>> tilt.k_label, tilt.dimension, tilt.kind, format_k(tilt.k)
    ('R', 3, 1, '(1/2,1/2,1/2)')
    """

    number: int
    label: str
    k: Wavevector
    kind: int
    star: Star = field(repr=False, compare=False)
    complex_matrices: np.ndarray = field(repr=False, compare=False)

    @property
    def k_label(self) -> str:
        """Letters of the k vector: R, SM, GP."""
        return k_letters(self.label)

    @property
    def constituents(self) -> tuple[str, ...]:
        """Labels of the complex irreps that it holds."""
        return split_label(self.label)

    @property
    def arms(self) -> np.ndarray:
        """The star (n_arms, 3) of the complex irrep as float64, conventional reciprocal basis."""
        return self.star.values

    @property
    def complex_dimension(self) -> int:
        """Dimension of the complex irrep: arms times the dimension of the small irrep."""
        return self.complex_matrices.shape[1]

    @property
    def small_dimension(self) -> int:
        """Dimension of the small irrep, that of the little group of k."""
        return self.complex_dimension // self.star.n_arms

    @property
    def dimension(self) -> int:
        """Dimension of the real, physically irreducible representation."""
        return self.complex_dimension * (1 if self.kind == 1 else 2)

    @property
    def component_arms(self) -> np.ndarray:
        """Arm (dimension,) that each real component belongs to; a joined pair k, -k goes by its first arm."""
        return self.form.arms

    @cached_property
    def form(self) -> RealForm:
        """The real matrices of the coset representatives and the action of translations."""
        return real_form(self.star, self.complex_matrices, self.kind)


def coset_representatives(number: int) -> CosetRepresentatives:
    """Return the tabulated coset representatives of a space group; translations are integers over 24."""
    table = load_table(number)
    return CosetRepresentatives(table.rotations, table.translations)


def centring(number: int) -> np.ndarray:
    """Return the centring translations (n_centring, 3) as integers over 24, zero first."""
    return load_table(number).centring


def special_points(number: int) -> list[tuple[str, Wavevector]]:
    """Return name and first arm of every tabulated k vector without free parameters.

    Where -k lies outside the star it is not listed on its own: the irreps at k contain it.

    Examples
    --------
    >>> [name for name, k in special_points(221)]
    ['GM', 'R', 'X', 'M']
    """
    table = load_table(number)
    return [(k_type.letters, _first_arm(table.star(k_type))) for k_type in table.k_types if not k_type.parameters]


def irreps_at(number: int, k: Iterable[Fraction | int | str]) -> tuple[SpaceGroupIrrep, ...]:
    """Return all physically irreducible representations at a commensurate k vector, in the order of the table.

    Any arm of the star, of the star of -k, and any copy of it modulo the reciprocal lattice gives the same answer. On
    lines and planes one star is reached by several values of the parameters, and names depend on the value; taken are
    the smallest parameters (by the sum of squares), among those the lexicographically largest: 1/3 and not -1/3.

    Parameters
    ----------
    number : int
        Space group.
    k : three Fraction, int or str
        Conventional reciprocal basis of the tabulated setting: ("1/2", "1/2", 0).

    Raises
    ------
    InvalidInputError
        If the group does not exist or k is not rational.

    Examples
    --------
    >>> [irrep.label for irrep in irreps_at(205, ("1/2", "1/2", "1/2"))]
    ['R1+R3+', 'R2+R2+', 'R1-R3-', 'R2-R2-']
    """
    return _irreps_of_type(number, *_locate(number, *_wavevector(k)))


def irrep_named(number: int, label: str, k: Iterable[Fraction | int | str] | None = None) -> SpaceGroupIrrep:
    """Return the irrep of a name; a joined one is found by either of its names too.

    Parameters
    ----------
    k : three Fraction, int or str, optional
        Needed on lines and planes, where the letters do not fix k.

    Raises
    ------
    InvalidInputError
        If no irrep at that k has the name.
    """
    parts = split_label(label)
    points = [wavevector for _, wavevector in special_points(number)] if k is None else [_wavevector(k)]
    candidates = [irrep for point in points for irrep in irreps_at(number, point)]
    for irrep in candidates:
        if set(parts) <= set(irrep.constituents):
            return irrep
    where = "at the special points" if k is None else f"at k = {format_k(points[0])}"
    raise InvalidInputError(
        f"space group {number} has no irrep {label} {where}; there are {', '.join(irrep.label for irrep in candidates)}"
        + (" (on lines and planes k must be given)" if k is None else "")
    )


def real_matrices(irrep: SpaceGroupIrrep, cosets: np.ndarray, translations: np.ndarray) -> np.ndarray:
    """Return the real matrices of the elements {W_c|w_c + t}.

    Parameters
    ----------
    cosets : (m,) int
        Indices c of coset representatives.
    translations : (m, 3)
        Lattice translations t (with the centring ones), conventional basis.

    Returns
    -------
    (m, dimension, dimension) float64
        Orthogonal, R(g1) R(g2) = R(g1 g2).
    """
    form = irrep.form
    phases = irrep.star.phases(np.asarray(translations))[:, form.arms]
    matrices = np.real(phases)[:, :, None] * form.matrices[cosets]
    if form.signs.any():
        matrices += (form.signs * np.imag(phases))[:, :, None] * form.matrices[:, form.partners][cosets]
    return matrices


def characters(irrep: SpaceGroupIrrep, cosets: np.ndarray, translations: np.ndarray) -> np.ndarray:
    """Return the full-star characters (m,) of the complex irrep (the first of two) at the elements {W_c|w_c + t}."""
    phases = irrep.star.phases(np.asarray(translations)).repeat(irrep.small_dimension, axis=1)
    return np.einsum("cr,crr->c", phases, irrep.complex_matrices[cosets])


def _wavevector(k: Iterable[Fraction | int | str]) -> Wavevector:
    """Check and convert a k vector given by the caller."""
    try:
        x, y, z = (Fraction(component) for component in k)
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"k = {k!r}: expected three fractions such as (1/2, 1/2, 0)") from error
    if max(x.denominator, y.denominator, z.denominator) > _LARGEST_DENOMINATOR:
        raise InvalidInputError(f"k = {format_k((x, y, z))} is not commensurate; give it as fractions, not as decimals")
    return x, y, z


def _first_arm(star: Star) -> Wavevector:
    """Return the first arm as fractions."""
    x, y, z = (Fraction(int(numerator), star.denominator) for numerator in star.numerators[0])
    return x, y, z


@lru_cache(maxsize=4096)
def _locate(number: int, *k: Fraction) -> tuple[int, tuple[Fraction, ...]]:
    """Return the k type, as an index, and the parameters that the star of k or -k has in the table."""
    table = load_table(number)
    for n_parameters in range(4):
        for index, k_type in enumerate(table.k_types):
            if len(k_type.parameters) != n_parameters:
                continue
            if n_parameters == 0:
                parameters = (Fraction(0),) * 3 if _is_arm(table.star(k_type), k) else None
            else:
                parameters = _solve_parameters(table, k_type, k)
            if parameters is not None:
                return index, parameters
    raise ArithmeticError(f"space group {number}: no tabulated k vector contains {format_k(k)}")


def _is_arm(star: Star, k: Sequence[Fraction]) -> bool:
    """Tell whether k or -k is congruent to an arm."""
    numerators, q = common_denominator(k)
    differences = [sign * star.denominator * numerators - q * star.numerators for sign in (1, -1)]
    residues = star.table.lattice_residue(np.array(differences), q * star.denominator)
    return bool((residues == 0).all(axis=2).any())


def _solve_parameters(table: GroupTable, k_type: KType, k: Sequence[Fraction]) -> tuple[Fraction, ...] | None:
    """Solve k_0(p) = k W_c^-1 + G, over the star of k and that of -k and all G, for the canonical parameters p.

    All in integers: with the constant part a / 12 and the coefficients C / 12 of the first arm, p C = r / q, where
    r = 12 q (k W_c^-1 + G) - q a is the right-hand side.
    """
    numerators, q = common_denominator(k)
    a = k_type.arms[0, 0]
    images = numerators @ table.inverse_rotations
    images = np.unique(np.vstack([images, -images]), axis=0)
    offsets = 12 * images - q * a
    nearest = -np.rint(offsets / (12 * q)).astype(int)
    G = (nearest[:, None] + _BOX).reshape(-1, 3)
    r = np.repeat(offsets, len(_BOX), axis=0) + 12 * q * G
    r = r[((G @ table.centring.T) % TRANSLATION_DENOMINATOR == 0).all(axis=1)]
    columns, adjugate, determinant = _left_inverse(k_type)
    p = r[:, columns] @ adjugate
    p = p[(p @ k_type.arms[0, 1:][k_type.parameters] == determinant * r).all(axis=1)]
    if not len(p):
        return None
    best = p[np.lexsort([*(-p * np.sign(determinant)).T[::-1], (p * p).sum(axis=1)])[0]]
    parameters = [Fraction(0)] * 3
    for position, numerator in zip(k_type.parameters, best, strict=True):
        parameters[position] = Fraction(int(numerator), int(determinant) * q)
    return tuple(parameters)


def _left_inverse(k_type: KType) -> tuple[list[int], np.ndarray, int]:
    """Return columns of the coefficients C of the first arm that are invertible, and adj(C), det(C) there."""
    C = k_type.arms[0, 1:][k_type.parameters]
    for columns in combinations(range(3), len(C)):
        determinant = round(np.linalg.det(C[:, columns]))
        if determinant:
            return list(columns), np.rint(np.linalg.inv(C[:, columns]) * determinant).astype(int), determinant
    raise ArithmeticError(f"k type {k_type.letters}: the coefficients of its parameters are dependent")


@lru_cache(maxsize=128)
def _irreps_of_type(number: int, index: int, parameters: tuple[Fraction, ...]) -> tuple[SpaceGroupIrrep, ...]:
    """Build the physically irreducible representations of one k type at given parameters."""
    table = load_table(number)
    k_type = table.k_types[index]
    star = table.star(k_type, parameters)
    matrices = [irrep_matrices(star, k_type, i) for i in range(len(k_type.irreps))]
    labels = [entry["label"] for entry in k_type.irreps]
    irreps, done = [], set()
    for i, (label, D) in enumerate(zip(labels, matrices, strict=True)):
        if i in done:
            continue
        kind = frobenius_schur_indicator(star, D)
        names = [label]
        if kind == 0 and star.opposites[0] < 0:
            names.append(partner_label(number, label))
        elif kind != 1:
            conjugate = conjugate_index(star, D, matrices)
            done.add(conjugate)
            names.append(labels[conjugate])
        D.setflags(write=False)
        irreps.append(SpaceGroupIrrep(number, "".join(names), _first_arm(star), kind, star, D))
    return tuple(irreps)
