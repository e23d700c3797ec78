"""The irreps of a parent's space group, written for its operations, its primitive basis and real components."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache

import numpy as np

from orderparam.errors import InvalidInputError
from orderparam.parent import Parent
from orderparam.spacegroup import CENTRINGS, DENOMINATOR, centring_letter, standard_group
from orderparam.supercell import Supercell

from .irreps import SpaceGroupIrrep, coset_representatives, irrep_named, irreps_at, special_points
from .mulliken import mulliken_symbol


@dataclass(frozen=True, eq=False)
class ParentIrrep:
    """A space-group irrep for the operations of a parent, in their order.

    Attributes
    ----------
    irrep : SpaceGroupIrrep
        Name, star and type.
    k : (n_arms, 3) float64
        The arms in the primitive reciprocal basis.
    complex_matrices : (n_operations, complex_dimension, complex_dimension) complex128
        D({W|w}); a translation t multiplies the rows of arm i by exp(2 pi i k_i . t).
    matrices : (n_operations, dimension, dimension) float64
        The real, physically irreducible matrices R({W|w}).
    place : str
        Wave vector (conventional) where the Miller-Love label alone would not tell it from others beside it: points of
        one line share their labels.
    """

    irrep: SpaceGroupIrrep
    k: np.ndarray
    complex_matrices: np.ndarray
    matrices: np.ndarray
    place: str = ""

    @property
    def label(self) -> str:
        """Miller-Love label; with ``@`` and the wave vector where others beside it have the same."""
        return f"{self.irrep.label}@{self.place}" if self.place else self.irrep.label

    def is_called(self, name: str) -> bool:
        """Tell whether a name means this irrep: its label, with or without the wave vector."""
        return name in (self.label, self.irrep.label)

    @property
    def dimension(self) -> int:
        """Number of real components."""
        return self.irrep.dimension

    @property
    def is_identity(self) -> bool:
        """Whether nothing is broken: the trivial irrep at Gamma."""
        return self.dimension == 1 and not self.k.any() and bool(np.allclose(self.matrices, 1.0))

    def translation_matrices(self, translations: np.ndarray) -> np.ndarray:
        """Return the real matrices (m, dimension, dimension) of lattice translations (m, 3), primitive basis."""
        form, n = self.irrep.form, self.dimension
        angles = 2 * np.pi * (np.asarray(translations) @ self.k.T)[:, form.arms]
        out = np.zeros((len(angles), n, n))
        out[:, np.arange(n), np.arange(n)] = np.cos(angles)
        out[:, np.arange(n), form.partners] += form.signs * np.sin(angles)
        return out

    def translate(self, components: np.ndarray, translations: np.ndarray) -> np.ndarray:
        """Return R(t) applied to components (..., dimension), for every translation: (m, ..., dimension)."""
        form = self.irrep.form
        angles = 2 * np.pi * (np.asarray(translations) @ self.k.T)[:, form.arms]
        angles = angles.reshape(len(angles), *[1] * (components.ndim - 1), self.dimension)
        return np.cos(angles) * components + form.signs * np.sin(angles) * components[..., form.partners]

    def __str__(self) -> str:
        return f"ParentIrrep({self.label})"


@lru_cache(maxsize=1024)
def _irreps_of_group(number: int, k: tuple[Fraction, Fraction, Fraction]) -> tuple[ParentIrrep, ...]:
    """Return all irreps of a group in its standard primitive basis at k (conventional)."""
    group = standard_group(number)
    centring = CENTRINGS[centring_letter(number)]
    tabulated = coset_representatives(number)
    columns = centring.T
    rotations = np.rint(columns @ group.rotations @ np.linalg.inv(columns)).astype(int)
    index = {rotation.tobytes(): c for c, rotation in enumerate(np.ascontiguousarray(tabulated.rotations.astype(int)))}
    cosets = np.array([index[np.ascontiguousarray(rotation).tobytes()] for rotation in rotations])
    translations = np.rint(group.translations @ centring).astype(int) - tabulated.translations[cosets]
    shifts = (translations / DENOMINATOR) @ np.linalg.inv(centring)  # lattice translations, primitive basis
    found = []
    for irrep in irreps_at(number, k):
        arms = irrep.arms @ centring.T
        phases = np.exp(2j * np.pi * np.rint(shifts) @ arms.T).repeat(irrep.small_dimension, axis=1)
        matrices = phases[:, :, None] * irrep.complex_matrices[cosets]
        complex_form = ParentIrrep(irrep, arms, matrices, np.empty(0))
        real = complex_form.translation_matrices(np.rint(shifts)) @ irrep.form.matrices[cosets]
        found.append(ParentIrrep(irrep, arms, matrices, real))
    return tuple(found)


def irreps_of_parent(parent: Parent, k: np.ndarray, denominator: int) -> tuple[ParentIrrep, ...]:
    """Return all physically irreducible representations of the parent's group at k = numerators / denominator.

    k is in the primitive reciprocal basis; any arm of a star gives the same irreps. Those of a finite set (at k = 0)
    have Mulliken's symbols.
    """
    inverse = np.linalg.inv(CENTRINGS[centring_letter(parent.group.number)])
    conventional = np.rint(inverse @ np.asarray(k) * 6).astype(int)
    x, y, z = (Fraction(int(value), 6 * denominator) for value in conventional)
    found = _irreps_of_group(parent.group.number, (x, y, z))
    return tuple(_with_mulliken_symbol(parent, irrep) for irrep in found) if parent.finite else found


def _with_mulliken_symbol(parent: Parent, irrep: ParentIrrep) -> ParentIrrep:
    """Rename an irrep of a point group, which is that of the symmorphic space group at k = 0."""
    a, b, _ = parent.conventional @ parent.lattice
    x = a / np.linalg.norm(a)
    y = b - (b @ x) * x
    axes = np.array([x, y / np.linalg.norm(y), np.cross(x, y / np.linalg.norm(y))])
    symbol = mulliken_symbol(parent.rotations_cart, axes, irrep.matrices)
    return replace(irrep, irrep=replace(irrep.irrep, label=symbol))


def stars(supercell: Supercell) -> list[np.ndarray]:
    """Return one wave vector (integers over ``n_cells``, primitive basis) of every star commensurate with a supercell.

    k and -k count as one star: the real irreps at both are the same.
    """
    n = supercell.n_cells
    inverses = np.rint(np.linalg.inv(supercell.parent.group.rotations)).astype(int)
    found, seen = [], set()
    for k in supercell.wave_vectors():
        if tuple(k.tolist()) in seen:
            continue
        images = (k @ inverses) % n
        seen.update(map(tuple, images.tolist()))
        seen.update(map(tuple, ((-images) % n).tolist()))
        found.append(k)
    return found


def commensurate_irreps(supercell: Supercell) -> list[ParentIrrep]:
    """Return every irrep of the parent's group at every wave vector commensurate with a supercell, Gamma first.

    No two have the same label.
    """
    parent = supercell.parent
    found = [irrep for k in stars(supercell) for irrep in irreps_of_parent(parent, k, supercell.n_cells)]
    counts = Counter(irrep.label for irrep in found)
    return [irrep if counts[irrep.label] == 1 else _with_place(irrep, parent.k_text(irrep.k[0])) for irrep in found]


@lru_cache(maxsize=1024)
def _with_place(irrep: ParentIrrep, place: str) -> ParentIrrep:
    return replace(irrep, place=place)


def special_irreps(parent: Parent) -> list[ParentIrrep]:
    """Return every irrep of the parent's group at the special points, in the order of the table."""
    number = parent.group.number
    return [irrep for _, k in special_points(number) for irrep in _irreps_of_group(number, k)]


def split_labels(text: str) -> tuple[str, ...]:
    """Take a list of labels apart; commas within a wave vector do not count.

    Examples
    --------
    >>> split_labels("R4+, M3+,SM2@1/5,1/5,0,X1")
    ('R4+', 'M3+', 'SM2@1/5,1/5,0', 'X1')
    """
    found = re.findall(r"[^,@]+(?:@[^,]*(?:,[^,]*){2})?", text)
    return tuple(dict.fromkeys(label.strip() for label in found if label.strip()))


def named_irrep(parent: Parent, label: str) -> ParentIrrep:
    """Return an irrep by its label; on lines and planes the label carries its k: ``SM2@1/3,0,0`` (conventional).

    Raises
    ------
    InvalidInputError
        When the group has none of this name there; those that it has are listed.
    """
    name, at, place = (part.strip() for part in label.partition("@"))
    number = parent.group.number
    if not at:
        found = irrep_named(number, name)
        return next(i for i in _irreps_of_group(number, found.k) if i.label == found.label)
    try:
        k = np.array([float(Fraction(v)) for v in place.split(",")])
    except (ValueError, ZeroDivisionError):
        k = np.zeros(0)
    if k.shape != (3,):
        raise InvalidInputError(f"{label}: expected a wave vector of three fractions after @, such as SM2@1/3,0,0")
    primitive = k @ np.linalg.inv(parent.conventional.T)
    denominator = next((d for d in range(1, 241) if np.abs(primitive * d - np.rint(primitive * d)).max() < 1e-4), None)
    if denominator is None:
        raise InvalidInputError(f"{label}: the wave vector is not commensurate")
    there = irreps_of_parent(parent, np.rint(primitive * denominator).astype(int), denominator)
    for irrep in there:
        if name == irrep.label or name in irrep.irrep.constituents:
            return irrep
    raise InvalidInputError(f"{label}: there is no such irrep; there are {', '.join(i.label for i in there)}")
