"""The tabulated complex irreps of the space groups, one group loaded at a time.

Setting: the conventional one of the ISOTROPY software (monoclinic unique axis b, cell choice 1; origin choice 2;
hexagonal axes), which is spglib's Hall entry of the group chosen in the order '2', 'H', 'b', 'b1', 'abc', ''.

An irrep is tabulated by the matrices of the coset representatives {W_c|w_c}. With the arms k_i of the star,

    D({W_c|w_c + t}) = diag_i(exp(2 pi i k_i.(t + v_c))) M_c ,

where the IR-translation v_c occurs only where k has free parameters. Only generators are stored; the others follow from
{W_a|w_a}{W_g|w_g} = {1|t}{W_c|w_c}. k transforms as a row, k -> k W^-1, and arm i = k_0 W_h^-1 if D_i0(h) is not zero.

References
----------
H. T. Stokes, B. J. Campbell and R. Cordes, Acta Cryst. A69, 388-395 (2013): the tables (CC BY 4.0).
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from importlib.resources import files
from math import lcm
from typing import Any

import numpy as np

from orderparam.errors import InvalidInputError

TRANSLATION_DENOMINATOR = 24
_ARM_DENOMINATOR = 12
_CENTRING_VECTORS = {
    "P": [],
    "A": [[0, 12, 12]],
    "C": [[12, 12, 0]],
    "I": [[12, 12, 12]],
    "F": [[0, 12, 12], [12, 0, 12], [12, 12, 0]],
    "R": [[16, 8, 8], [8, 16, 16]],
}


@dataclass(frozen=True)
class Step:
    """Products that reach new coset representatives: c = parent generator, up to the translation ``lattice``.

    Attributes
    ----------
    cosets, parents, generators : (m,) int
        Indices; ``generators`` counts within the generating set.
    lattice : (m, 3) int over TRANSLATION_DENOMINATOR
        t in {W_p|w_p}{W_g|w_g} = {1|t}{W_c|w_c}.
    """

    cosets: np.ndarray
    parents: np.ndarray
    generators: np.ndarray
    lattice: np.ndarray


@dataclass(frozen=True)
class KType:
    """A k vector of the table, with up to three free parameters, and its irreps.

    Attributes
    ----------
    letters : str
        Name: GM, X, LD, GP.
    arms : (n_arms, 4, 3) int over 12
        k_i = arms[i, 0] + sum_p parameter_p arms[i, p], conventional reciprocal basis.
    shifts : (n_generators, 3) int over TRANSLATION_DENOMINATOR
        IR-translations v of the generators; zero at special points.
    """

    letters: str
    arms: np.ndarray
    shifts: np.ndarray
    irreps: tuple[dict[str, Any], ...]

    @property
    def parameters(self) -> list[int]:
        """Indices 0, 1, 2 of the parameters that k depends on."""
        return [p for p in range(3) if self.arms[0, p + 1].any()]


@dataclass(frozen=True)
class GroupTable:
    """All irreps of one space group.

    Attributes
    ----------
    rotations : (n, 3, 3) int64
        W_c of the coset representatives, conventional basis; the identity first.
    translations : (n, 3) int64 over TRANSLATION_DENOMINATOR
        w_c of the coset representatives.
    centring : (n_centring, 3) int64 over TRANSLATION_DENOMINATOR
        Centring translations, zero first.
    generators : (n_generators,) int64
        Indices of a generating set.
    steps : tuple of Step
        How all coset representatives follow from the generators.
    k_types : tuple of KType
        In the order of the table.
    """

    number: int
    rotations: np.ndarray
    translations: np.ndarray
    centring: np.ndarray
    generators: np.ndarray
    steps: tuple[Step, ...]
    k_types: tuple[KType, ...]

    def lattice_residue(self, numerators: np.ndarray, denominator: int) -> np.ndarray:
        """Return the products of k (..., 3) with lattice vectors modulo 1, as integers: equal where k are congruent."""
        vectors = np.vstack([np.eye(3, dtype=int) * TRANSLATION_DENOMINATOR, self.centring[1:]])
        return (numerators @ vectors.T) % (TRANSLATION_DENOMINATOR * denominator)

    def indices(self, rotations: np.ndarray) -> np.ndarray:
        """Return the coset representatives (m,) that have the given rotations (m, 3, 3)."""
        index = {W.tobytes(): c for c, W in enumerate(self.rotations)}
        return np.array([index[W.tobytes()] for W in rotations])

    @cached_property
    def squares(self) -> tuple[np.ndarray, np.ndarray]:
        """Index (n,) and lattice translation (n, 3), over 24, of {W_c|w_c}^2."""
        W, w = self.rotations, self.translations
        indices = self.indices(W @ W)
        return indices, np.einsum("cij,cj->ci", W, w) + w - w[indices]

    @cached_property
    def inverse_rotations(self) -> np.ndarray:
        """W_c^-1 (n, 3, 3) int64: k goes to k W_c^-1."""
        return np.rint(np.linalg.inv(self.rotations)).astype(int)

    def star(self, k_type: KType, parameters: Sequence[Fraction] = ()) -> Star:
        """Return the star of a k type at given parameters (three, or none at special points)."""
        numerators, q = common_denominator(parameters or [Fraction(0)] * 3)
        arms = k_type.arms[:, 0] * q + np.einsum("p,apx->ax", numerators, k_type.arms[:, 1:])
        return Star(self, arms, _ARM_DENOMINATOR * q)


@dataclass(frozen=True)
class Star:
    """The star of a k vector.

    Attributes
    ----------
    numerators : (n_arms, 3) int64, over ``denominator``
        The arms k_i, conventional reciprocal basis, in the order of the table.
    """

    table: GroupTable
    numerators: np.ndarray
    denominator: int

    @property
    def n_arms(self) -> int:
        """Number of arms."""
        return len(self.numerators)

    @property
    def values(self) -> np.ndarray:
        """The arms (n_arms, 3) as float64."""
        return self.numerators / self.denominator

    @cached_property
    def opposites(self) -> np.ndarray:
        """For every arm the arm congruent to -k (n_arms,), or -1 where the star does not hold it."""
        equal = (self._residues(-self.numerators)[:, None] == self._residues(self.numerators)).all(axis=2)
        return np.where(equal.any(axis=1), equal.argmax(axis=1), -1)

    @cached_property
    def images(self) -> np.ndarray:
        """The arm (n, n_arms) to which each coset representative sends each arm, k_j = k_i W_c^-1."""
        images = self._residues(self.numerators @ self.table.inverse_rotations)
        return (images[:, :, None] == self._residues(self.numerators)).all(axis=3).argmax(axis=2)

    @cached_property
    def step_phases(self) -> list[np.ndarray]:
        """For every step of the table exp(-2 pi i k_i.t) (m, n_arms) of its lattice translations."""
        return [self.phases(-step.lattice / TRANSLATION_DENOMINATOR) for step in self.table.steps]

    @cached_property
    def little_cosets(self) -> np.ndarray:
        """Coset representatives (m,) of the little group of the first arm."""
        return np.flatnonzero(self.images[:, 0] == 0)

    def phases(self, translations: np.ndarray) -> np.ndarray:
        """Return exp(2 pi i k_i.t) (m, n_arms) for translations t (m, 3)."""
        return turn((translations @ self.numerators.T) / self.denominator)

    def _residues(self, numerators: np.ndarray) -> np.ndarray:
        return self.table.lattice_residue(numerators, self.denominator)


def turn(angle: np.ndarray) -> np.ndarray:
    """Return exp(2 pi i angle), exactly for multiples of a quarter."""
    angle = angle - np.rint(angle)
    phase = np.exp(2j * np.pi * angle)
    quarter = np.abs(4 * angle - np.rint(4 * angle)) < 1e-13
    return np.where(quarter, np.rint(phase), phase)


@lru_cache(maxsize=32)
def load_table(number: int) -> GroupTable:
    """Read the irreps of one space group from the package's data file.

    Raises
    ------
    InvalidInputError
        If there is no such space group.
    """
    if number not in range(1, 231):
        raise InvalidInputError(f"space group {number!r}: expected an integer from 1 to 230")
    document = _read_document(f"{number:03d}.json")
    rotations = np.array(document["rotations"]).reshape(-1, 3, 3)
    translations = np.array(document["translations"])
    generators = np.array(document["generators"], dtype=int)
    table = GroupTable(
        number=number,
        rotations=rotations,
        translations=translations,
        centring=np.array([[0, 0, 0], *_CENTRING_VECTORS[document["centring"]]]),
        generators=generators,
        steps=_steps(rotations, translations, generators),
        k_types=tuple(
            KType(
                letters=point["k"],
                arms=np.array(point["arms"]).reshape(-1, 4, 3),
                shifts=np.array(point.get("shifts", [[0, 0, 0]] * len(generators)), dtype=int).reshape(-1, 3),
                irreps=tuple(point["irreps"]),
            )
            for point in document["points"]
        ),
    )
    for array in (table.rotations, table.translations, table.centring):
        array.setflags(write=False)
    return table


def irrep_matrices(star: Star, k_type: KType, index: int) -> np.ndarray:
    """Build the matrices of one irrep for all coset representatives {W_c|w_c}.

    Parameters
    ----------
    star : Star
        The star of ``k_type`` at some parameters.
    index : int
        Which irrep of the k type.

    Returns
    -------
    (n, d, d) complex128
        D(c), unitary; row block i belongs to arm i.
    """
    entry = k_type.irreps[index]
    d = entry["dimension"]
    shifts = np.array(entry.get("shifts", k_type.shifts), dtype=int).reshape(-1, 3)
    text = np.frombuffer(entry["matrices"].encode("ascii"), dtype=np.uint8)

    def on_rows(phases: np.ndarray) -> np.ndarray:
        return phases.repeat(d // star.n_arms, axis=1)[:, :, None]

    generators = on_rows(star.phases(shifts / TRANSLATION_DENOMINATOR)) * _values()[text].reshape(-1, d, d)
    matrices = np.empty((len(star.table.rotations), d, d), dtype=complex)
    matrices[0] = np.eye(d)
    for step, undo in zip(star.table.steps, star.step_phases, strict=True):
        matrices[step.cosets] = on_rows(undo) * (matrices[step.parents] @ generators[step.generators])
    return matrices


def common_denominator(fractions: Sequence[Fraction]) -> tuple[np.ndarray, int]:
    """Write fractions as integers over their least common denominator."""
    q = lcm(*(fraction.denominator for fraction in fractions))
    return np.array([fraction.numerator * (q // fraction.denominator) for fraction in fractions]), q


def _read_document(name: str) -> Any:
    """Read one JSON document of the data file."""
    with (files("orderparam") / "data" / "irreps.zip").open("rb") as stream, zipfile.ZipFile(stream) as archive:
        return json.loads(archive.read(name))


@lru_cache(maxsize=1)
def _values() -> np.ndarray:
    """Return the complex number (128,) that each ASCII character stands for."""
    values = np.full(128, np.nan, dtype=complex)
    for character, (real, imaginary) in _read_document("values.json").items():
        values[ord(character)] = complex(real, imaginary)
    return values


def _steps(rotations: np.ndarray, translations: np.ndarray, generators: np.ndarray) -> tuple[Step, ...]:
    """Plan the products that reach every coset representative from the identity, breadth first."""
    index = {W.tobytes(): i for i, W in enumerate(rotations)}
    reached, frontier, steps = {0}, [0], []
    while frontier:
        plan = []
        for parent in frontier:
            for position, g in enumerate(generators):
                coset = index[(rotations[parent] @ rotations[g]).tobytes()]
                if coset not in reached:
                    reached.add(coset)
                    lattice = rotations[parent] @ translations[g] + translations[parent] - translations[coset]
                    plan.append((coset, parent, position, lattice))
        if plan:
            cosets, parents, positions, lattices = zip(*plan, strict=True)
            steps.append(Step(np.array(cosets), np.array(parents), np.array(positions), np.array(lattices)))
        frontier = [entry[0] for entry in plan]
    return tuple(steps)
