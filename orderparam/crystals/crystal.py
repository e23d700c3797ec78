"""A crystal: its cell, its atoms, and what can be said of them at once."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from orderparam.errors import InvalidInputError
from orderparam.shown import html_of
from orderparam.wording import counted

from .elements import electronegativity
from .mixtures import site_formula
from .neighbours import shortest_distance
from .uncertainties import Uncertainties

if TYPE_CHECKING:
    from pymatgen.core import Structure

CLOSEST_CONTACT = 0.5
"""Two atoms nearer than this (angstrom) are a mistake in the file: the shortest bond, H-H, has 0.74."""


LARGEST = 1e6
"""No cell vector (angstrom) and no fractional coordinate is larger than this."""


@dataclass(frozen=True)
class Crystal:
    """A periodic arrangement of atoms.

    Attributes
    ----------
    lattice : (3, 3)
        Basis vectors as rows, angstrom.
    positions : (n, 3)
        Fractional coordinates.
    species : tuple of n str
        Element symbols; a mixed site holds its whole mixture, such as ``"Ca0.5Sr0.5"``.
    labels : tuple of n str
        The file's site labels.
    name : str
        Where the crystal comes from, for messages.
    notes : tuple of str
        What the reader had to do to understand the file.
    uncertainties : Uncertainties or None
        Standard uncertainties, where the file has them.
    periodic : tuple of 3 bool
        Whether the crystal repeats along each basis vector. With just one False it is a layer (`layers`).

    Raises
    ------
    InvalidInputError
        When shapes do not fit, numbers are not finite, or the cell has no volume.

    Examples
    --------
    >>> import numpy as np
    >>> salt = Crystal(5.64 * np.eye(3), np.array([[0, 0, 0], [0.5, 0.5, 0.5]]), ("Na", "Cl"))
    >>> salt.formula, salt.labels, round(salt.volume, 1)
    ('NaCl', ('Na1', 'Cl1'), 179.4)
    """

    lattice: np.ndarray
    positions: np.ndarray
    species: tuple[str, ...]
    labels: tuple[str, ...] = ()
    name: str = ""
    notes: tuple[str, ...] = ()
    uncertainties: Uncertainties | None = None
    periodic: tuple[bool, bool, bool] = (True, True, True)

    def __post_init__(self) -> None:
        lattice, positions = np.array(self.lattice, float), np.array(self.positions, float)
        where = f"{self.name}: " if self.name else ""
        if lattice.shape != (3, 3) or positions.ndim != 2 or positions.shape != (len(self.species), 3):
            raise InvalidInputError(
                f"{where}expected a (3, 3) lattice and one position per species, received {lattice.shape}, "
                f"{positions.shape} and {len(self.species)} species"
            )
        if not (np.isfinite(lattice).all() and np.isfinite(positions).all()):
            raise InvalidInputError(f"{where}a cell vector or coordinate is not a finite number; repair the file")
        if np.abs(lattice).max() > LARGEST or np.abs(positions).max(initial=0.0) > LARGEST:
            raise InvalidInputError(f"{where}a cell vector or coordinate is above {LARGEST:g}; repair the file")
        if abs(np.linalg.det(lattice)) < 1e-3:
            raise InvalidInputError(f"{where}the cell has no volume; check its lengths and angles")
        for field, array in (("lattice", lattice), ("positions", positions)):
            array.setflags(write=False)
            object.__setattr__(self, field, array)
        object.__setattr__(self, "labels", tuple(self.labels) or numbered(self.species))

    @property
    def n_sites(self) -> int:
        """Number of atoms in the cell."""
        return len(self.species)

    @property
    def volume(self) -> float:
        """Volume of the cell, cubic angstrom."""
        return float(abs(np.linalg.det(self.lattice)))

    @property
    def positions_cart(self) -> np.ndarray:
        """Cartesian coordinates (n, 3), angstrom."""
        return self.positions @ self.lattice

    @property
    def formula(self) -> str:
        """Reduced formula, elements by electronegativity as chemists write them."""
        return formula_of(self.species)

    @property
    def kinds(self) -> np.ndarray:
        """One integer per atom, equal for equal species (n,)."""
        known = {kind: number for number, kind in enumerate(sorted(set(self.species)), start=1)}
        return np.array([known[kind] for kind in self.species])

    def to_pymatgen(self) -> Structure:
        """Return the same crystal as a pymatgen Structure."""
        from pymatgen.core import Composition, Structure

        species = [Composition(kind) for kind in self.species]
        return Structure(self.lattice, species, self.positions, labels=list(self.labels))

    def __str__(self) -> str:
        return f"Crystal({self.formula}, {counted(self.n_sites, 'atom')})"

    __repr__ = __str__
    _repr_html_ = html_of


def numbered(species: tuple[str, ...]) -> tuple[str, ...]:
    """Return labels such as ``O1, O2`` for atoms that have none."""
    counts: Counter[str] = Counter()
    labels = []
    for kind in species:
        counts[kind] += 1
        labels.append(f"{kind}{counts[kind]}")
    return tuple(labels)


def formula_of(species: tuple[str, ...]) -> str:
    """Return the reduced formula of a list of species: ``K(Al0.25Si0.75)4O8``, vacancies as in ``(Sr0.9□0.1)MnO3``."""
    counts = Counter(species)
    divisor = reduce(math.gcd, counts.values(), 0) or 1
    kinds = sorted(counts, key=lambda kind: (electronegativity(kind), kind))
    return "".join(site_formula(kind, counts[kind] // divisor) for kind in kinds)


def right_handed(crystal: Crystal) -> Crystal:
    """Return the same crystal, nothing moved, in a right-handed cell: a CIF knows no other, and VASP wants none."""
    if np.linalg.det(crystal.lattice) > 0:
        return crystal
    return replace(crystal, lattice=-crystal.lattice, positions=-crystal.positions)


def shortest_contact(crystal: Crystal) -> float:
    """Return the shortest distance between two atoms, or an atom and its image (angstrom)."""
    return shortest_distance(crystal.lattice, crystal.positions)


def check_contacts(crystal: Crystal) -> None:
    """Refuse a crystal in which two atoms are nearer than `CLOSEST_CONTACT`.

    Raises
    ------
    InvalidInputError
    """
    if crystal.n_sites > 1 and (shortest := shortest_contact(crystal)) < CLOSEST_CONTACT:
        raise InvalidInputError(
            f"{crystal.name}: two atoms stand on one place or {shortest:.2f} angstrom apart (expected at least "
            f"{CLOSEST_CONTACT}); remove duplicates, or model split positions as one mixed site"
        )


def rename_species(crystal: Crystal, names: dict[str, str]) -> Crystal:
    """Return the crystal with elements renamed, as ``--map Ca=Sr`` asks.

    Raises
    ------
    InvalidInputError
        When an element to rename is not there.
    """
    missing = sorted(set(names) - set(crystal.species))
    if missing:
        raise InvalidInputError(
            f"--map: {crystal.name or 'the parent'} has no {', '.join(missing)}; it has "
            f"{', '.join(sorted(set(crystal.species)))}"
        )
    species = tuple(names.get(kind, kind) for kind in crystal.species)
    labels = tuple(
        re.sub(rf"^{re.escape(old)}(?![a-z])", new, label) if old != new else label
        for label, old, new in zip(crystal.labels, crystal.species, species, strict=True)
    )
    return replace(crystal, species=species, labels=labels)
