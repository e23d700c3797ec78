"""Read the cells of a phonopy.yaml, without its force constants."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from orderparam.errors import InvalidInputError

from .crystal import Crystal, numbered, right_handed
from .filetext import element_of_label, numbers, shown, text_of
from .frames import Frames, one
from .moments import labels_with_moments, moments_left_out

CELLS = ("unit_cell", "supercell", "primitive_cell")
"""Cells in the order in which they are taken."""
LENGTHS = {"angstrom": 1.0, "au": 0.529177210903, "bohr": 0.529177210903}
"""Units of length that phonopy writes, in angstrom."""
DETERMINANT = 1e-3
"""Relative difference at most between the volumes that two cells of one file state."""


def looks_like_phonopy(head: str) -> bool:
    """Tell whether a text begins like a phonopy.yaml: its own block, or one of its cells."""
    return re.search(r"(?m)^(phonopy|phono3py|unit_cell|supercell|primitive_cell):", head) is not None


def read_phonopy(path: Path) -> Frames:
    """Return the unit cell, or the supercell where there is no unit cell; a note says which.

    Raises
    ------
    InvalidInputError
        When there is no cell, a unit is not known, or the cells contradict each other.
    """
    text = text_of(path)
    there = {name: block for name in CELLS if (block := _block(text, name)) is not None}
    if not there:
        raise InvalidInputError(f"{path}: it holds no {', '.join(CELLS)}; expected a phonopy.yaml")
    unit = _unit(text, path)
    taken, *others = [name for name in CELLS if name in there]
    crystal = _crystal(there[taken], unit, path, taken)
    for other in others:
        _check(crystal, _crystal(there[other], unit, path, other), path, (taken, other))
    notes = [
        f"{path.name}: its {taken.replace('_', ' ')} is taken" + (f", not its {_joined(others)}" if others else "")
    ]
    return one(right_handed(replace(crystal, notes=(*notes, *crystal.notes))))


def _joined(names: list[str]) -> str:
    return " or ".join(name.replace("_", " ") for name in names)


def _block(text: str, name: str) -> Mapping[str, Any] | None:
    """Return what stands under a name on the left margin; the rest, maybe large force constants, is not parsed."""
    from ruamel.yaml import YAML

    found = re.search(rf"(?m)^{name}:[^\S\n]*(?:#.*)?\n((?:[ \t-].*\n?|\n)*)", text)
    if not found:
        return None
    data = YAML(typ="safe", pure=True).load(found.group(1))
    return data if isinstance(data, Mapping) else {}


def _unit(text: str, path: Path) -> float:
    block = _block(text, "physical_unit") or {}
    name = str(block.get("length", "angstrom")).strip().lower()
    if name not in LENGTHS:
        raise InvalidInputError(f"{path}: its unit of length is {shown(name)}; expected one of {', '.join(LENGTHS)}")
    return LENGTHS[name]


def _crystal(block: Mapping[str, Any], unit: float, path: Path, name: str) -> Crystal:
    """Return the crystal of one cell; a note says which moments are left out."""
    where = f"{path}: {name}"
    points = block.get("points", block.get("atoms"))
    rows = block.get("lattice")
    if not isinstance(points, list) or not points or not isinstance(rows, list) or len(rows) != 3:
        raise InvalidInputError(f"{where}: expected a lattice of three vectors, and points")
    lattice = unit * np.array([_three(row, f"{where}, lattice") for row in rows])
    positions, species, moments = [], [], []
    for number, point in enumerate(points, start=1):
        if not isinstance(point, Mapping):
            raise InvalidInputError(f"{where}: point {number} has no symbol and coordinates")
        symbol = element_of_label(str(point.get("symbol")))
        if symbol is None:
            raise InvalidInputError(f"{where}: expected chemical elements, received {shown(str(point.get('symbol')))}")
        positions.append(_three(point.get("coordinates", point.get("position")), f"{where}, point {number}"))
        species.append(symbol)
        moments.append(point.get("magnetic_moment"))
    if not abs(np.linalg.det(lattice)) > 0:
        raise InvalidInputError(f"{where}: the cell has no volume")
    notes = moments_left_out(labels_with_moments(numbered(tuple(species)), moments))
    return Crystal(lattice, np.array(positions), tuple(species), (), str(path), notes)


def _three(values: object, where: str) -> list[float]:
    words = [str(value) for value in values] if isinstance(values, list) else []
    if len(words) != 3:
        raise InvalidInputError(f"{where}: expected 3 numbers, received {shown(str(values))}")
    return numbers(words, 3, where)


def _check(taken: Crystal, other: Crystal, path: Path, names: tuple[str, str]) -> None:
    """Refuse two cells of which one is not so many times the other, by volume and by number of atoms."""
    if abs(taken.volume / other.volume * other.n_sites / taken.n_sites - 1) > DETERMINANT:
        raise InvalidInputError(
            f"{path}: {names[0]} and {names[1]} contradict each other: {taken.n_sites} atoms in {taken.volume:.2f} and "
            f"{other.n_sites} in {other.volume:.2f} cubic angstrom"
        )
