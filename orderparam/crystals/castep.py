"""Read CASTEP's .cell: the blocks of lattice and positions.

Own, because ASE takes lengths in a unit that it does not know (a0) as angstrom, and passes over mixtures.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from orderparam.errors import InvalidInputError
from orderparam.lattice import cell_vectors, with_a_along_x

from .crystal import Crystal, numbered, right_handed
from .elements import element_of_number
from .filetext import element, element_of_label, number, numbers, shown, text_of
from .frames import Frames, one
from .moments import labels_with_moments, moments_left_out

UNITS = {"ang": 1.0, "bohr": 0.5291772108, "a0": 0.5291772108, "m": 1e10, "cm": 1e8, "nm": 10.0, "pm": 0.01}
"""Lengths that CASTEP knows, in angstrom (its constants are those of CODATA 2002)."""

Rows = list[list[str]]


def looks_like_castep(head: str) -> bool:
    """Tell whether a text has a block of lattice vectors or parameters."""
    return re.search(r"(?mi)^\s*%block\s+lattice_(cart|abc)\b", head) is not None


def read_castep(path: Path) -> Frames:
    """Return the crystal of a .cell file.

    Raises
    ------
    InvalidInputError
        When lattice or positions are not there exactly once, or a site is a mixture.
    """
    blocks = _blocks(path)
    lattice = _lattice(blocks, path)
    name = _the_one(blocks, ("positions_frac", "positions_abs"), path)
    rows, unit = _in_unit(blocks[name], path, name) if name == "positions_abs" else (blocks[name], 1.0)
    if not rows:
        raise InvalidInputError(f"{path}: its block {name} holds no atom")
    values = unit * np.array([numbers(row[1:], 3, f"{path}: {name}") for row in rows])
    kinds = [_element(row[0]) for row in rows]
    if None in kinds:
        raise InvalidInputError(f"{path}: expected chemical elements, received {shown(rows[kinds.index(None)][0])}")
    rest = [" ".join(row[4:]).lower() for row in rows]
    if any("mixture" in text for text in rest):
        raise InvalidInputError(f"{path}: it has mixed sites (MIXTURE), which are not read; give a CIF")
    positions = values @ np.linalg.inv(lattice) if name == "positions_abs" else values
    species = tuple(kind for kind in kinds if kind)
    notes = moments_left_out(labels_with_moments(numbered(species), map(_moment, rest)))
    return one(right_handed(Crystal(lattice, positions, species, (), str(path), notes)))


def _blocks(path: Path) -> dict[str, Rows]:
    """Return the rows of words of every block by its name in small letters."""
    blocks: dict[str, Rows] = {}
    rows: Rows | None = None
    for line in text_of(path).split("\n"):
        words = re.split(r"[#!;]", line, maxsplit=1)[0].split()
        if not words:
            continue
        if words[0].lower() == "%block" and len(words) > 1:
            name = words[1].lower()
            if name in blocks:
                raise InvalidInputError(f"{path}: the block {name} stands there twice; which counts?")
            rows = blocks[name] = []
        elif words[0].lower() == "%endblock":
            rows = None
        elif rows is not None:
            rows.append(words)
    return blocks


def _the_one(blocks: dict[str, Rows], names: tuple[str, str], path: Path) -> str:
    there = [name for name in names if name in blocks]
    if len(there) != 1:
        raise InvalidInputError(f"{path}: expected one block {' or '.join(names)}, found {len(there)}")
    return there[0]


def _in_unit(rows: Rows, path: Path, name: str) -> tuple[Rows, float]:
    """Return the rows below the unit, and the unit in angstrom."""
    if not rows or len(rows[0]) > 1:
        return rows, 1.0
    unit = UNITS.get(rows[0][0].lower())
    if unit is None:
        raise InvalidInputError(f"{path}: {name}: expected one of {', '.join(UNITS)}, received {shown(rows[0][0])}")
    return rows[1:], unit


def _lattice(blocks: dict[str, Rows], path: Path) -> np.ndarray:
    name = _the_one(blocks, ("lattice_cart", "lattice_abc"), path)
    rows, unit = _in_unit(blocks[name], path, name)
    expected = 3 if name == "lattice_cart" else 2
    if len(rows) != expected:
        raise InvalidInputError(f"{path}: {name} needs {expected} lines of numbers, it has {len(rows)}")
    values = [numbers(row, 3, f"{path}: {name}") for row in rows]
    if name == "lattice_cart":
        lattice = unit * np.array(values)
        if not abs(np.linalg.det(lattice)) > 0:
            raise InvalidInputError(f"{path}: the cell has no volume; check {name}")
        return lattice
    # positions_abs are in CASTEP's own orientation
    return with_a_along_x(cell_vectors([unit * length for length in values[0]], values[1], f"{path}: {name}"))


def _moment(text: str) -> list[float]:
    """Return the numbers of ``SPIN= 2`` or ``MAGMOM: (0 0 2)`` behind a position; none where there are none."""
    found = re.search(r"(?:spin|magmom)\s*[=:]?\s*\(?([-+.\deEdD\s,]+)", text)
    words = re.split(r"[\s,]+", found.group(1)) if found else []
    return [value for word in words if (value := number(word)) is not None]


def _element(word: str) -> str | None:
    """Return the element of ``Fe``, ``Fe:up`` or an atomic number."""
    if word.isdecimal():
        return element_of_number(int(word[:4]))
    symbol = word.partition(":")[0]
    return element(symbol.capitalize()) or element_of_label(symbol)
