"""Read CSSR files of structures in P1.

Own, because pymatgen passes over rows that it does not understand, and over the space group.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from orderparam.errors import InvalidInputError
from orderparam.lattice import cell_vectors, with_a_along_x

from .crystal import Crystal, right_handed
from .filetext import element_of_label, numbers, shown, text_of
from .frames import Frames, one


def looks_like_cssr(head: str) -> bool:
    """Tell whether a text has a CSSR's second line."""
    return "SPGR" in "".join(head.split("\n")[1:2]).upper()


def read_cssr(path: Path) -> Frames:
    """Return the crystal of a CSSR: cell, angles with the space group, number of atoms, title, atoms.

    Raises
    ------
    InvalidInputError
        When the space group is not P1 (its operations would be needed), or rows are not as many as line 3 says.
    """
    lines = text_of(path).split("\n")
    if len(lines) < 5:
        raise InvalidInputError(f"{path}: expected a CSSR: cell, angles, number of atoms, title and atoms")
    lengths = numbers(lines[0].split()[-3:], 3, f"{path}: line 1, lengths")
    angles = numbers(lines[1].split(), 3, f"{path}: line 2, angles")
    group = re.search(r"SPGR\s*=\s*(\d+)", lines[1], re.IGNORECASE)
    if group and int(group.group(1)[:4]) != 1:
        raise InvalidInputError(f"{path}: its space group is {group.group(1)}; a CSSR is read in P1 alone, give a CIF")
    count, cartesian = (
        int(value) for value in numbers([*lines[2].split(), "0"], 2, f"{path}: line 3, number of atoms")
    )
    rows = [line.split() for line in lines[4:] if line.strip()]
    if len(rows) != count or not rows:
        raise InvalidInputError(f"{path}: line 3 says {count} atoms, but {len(rows)} rows follow; repair the file")
    values = np.array([numbers(row[2:], 3, f"{path}: an atom") for row in rows])
    kinds = [element_of_label(row[1]) for row in rows]
    if None in kinds:
        raise InvalidInputError(f"{path}: expected chemical elements, received {shown(rows[kinds.index(None)][1])}")
    lattice = with_a_along_x(cell_vectors(lengths, angles, str(path)))
    positions = values @ np.linalg.inv(lattice) if cartesian else values
    species, labels = tuple(kind for kind in kinds if kind), tuple(row[1] for row in rows)
    return one(right_handed(Crystal(lattice, positions, species, labels, str(path))))
