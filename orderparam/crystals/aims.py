"""Read FHI-aims' geometry.in."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from orderparam.errors import InvalidInputError

from .crystal import Crystal, numbered, right_handed
from .filetext import element_of_label, numbers, shown, text_of
from .frames import Frames, one
from .moments import labels_with_moments, moments_left_out


def looks_like_aims(head: str) -> bool:
    """Tell whether a text has lines of vectors or atoms: ``lattice_vector``, ``atom_frac``, ``atom x y z Element``."""
    return re.search(r"(?m)^\s*(?:lattice_vector|atom_frac|atom(?:\s+[-+.\deE]+){3})\s", head) is not None


def read_aims(path: Path) -> Frames:
    """Return the crystal of a geometry.in, positions Cartesian (atom) or fractional (atom_frac) or both.

    Raises
    ------
    InvalidInputError
        When the lattice has not three vectors, there is no atom, or a moment is no number.
    """
    vectors, rows, fractional, species = [], [], [], []
    moments: list[float] = []
    for index, line in enumerate(text_of(path).split("\n"), start=1):
        key, *words = line.split("#")[0].split() or [""]
        where = f"{path}: line {index}"
        if key == "lattice_vector":
            vectors.append(numbers(words, 3, where))
        elif key in {"atom", "atom_frac"}:
            rows.append(numbers(words, 3, where))
            fractional.append(key == "atom_frac")
            name = words[3] if len(words) > 3 else ""
            if (kind := element_of_label(name)) is None:
                raise InvalidInputError(f"{where}: expected a chemical element, received {shown(name)}")
            species.append(kind)
            moments.append(0.0)
        elif key == "initial_moment":
            if not moments:
                raise InvalidInputError(f"{where}: expected an atom before its initial_moment")
            moments[-1] = numbers(words, 1, where)[0]
    if not vectors:
        raise InvalidInputError(f"{path}: a molecule without a lattice; a crystal is needed (CIF, POSCAR ...)")
    if len(vectors) != 3 or not rows:
        raise InvalidInputError(
            f"{path}: expected 3 lines lattice_vector and atoms, found {len(vectors)} and {len(rows)}"
        )
    lattice = np.array(vectors)
    if not abs(np.linalg.det(lattice)) > 0:
        raise InvalidInputError(f"{path}: the cell has no volume; check its vectors")
    values = np.array(rows)
    positions = np.where(np.array(fractional)[:, None], values, values @ np.linalg.inv(lattice))
    notes = moments_left_out(labels_with_moments(numbered(tuple(species)), moments))
    return one(right_handed(Crystal(lattice, positions, tuple(species), (), str(path), notes)))
