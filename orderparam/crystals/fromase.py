"""Crystals by ASE's readers: extended XYZ, XSF, trajectories and databases."""

from __future__ import annotations

import io
import json
import re
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from orderparam.errors import InvalidInputError

from .aseoccupancies import species_of
from .crystal import Crystal, numbered, right_handed
from .filetext import element, shown, text_of
from .frames import Frames, many
from .layers import VACUUM
from .moments import labels_with_moments, moments_left_out, stated_moments_left_out

if TYPE_CHECKING:
    from ase import Atoms
    from ase.db.row import AtomsRow

MOMENTS = ("initial_magmoms", "magmoms", "magmom", "magnetic_moments", "moments", "spin", "spins")
"""Names under which files hold magnetic moments."""
TRAJECTORY = "- of UlmASE-Trajectory"
SQLITE = "SQLite format 3"


def crystal_from_ase(atoms: Atoms, path: Path) -> Crystal:
    """Return a Crystal from ASE's atoms, with its mixed sites; magnetic moments are named in a note.

    Raises
    ------
    InvalidInputError
        When there is no lattice, an atom is of no element, or occupancies are not complete.
    """
    # ASE writes layers without any vacuum with a third vector of length zero
    missing = [axis for axis in range(3) if not atoms.pbc[axis] and not atoms.cell.array[axis].any()]
    if len(missing) == 1:
        atoms.center(vacuum=VACUUM, axis=missing[0])
    lattice = np.array(atoms.cell.array, float)
    if not np.linalg.norm(lattice, axis=1).all():
        raise InvalidInputError(f"{path}: a molecule without a lattice; a crystal is needed (CIF, POSCAR ...)")
    symbols = atoms.get_chemical_symbols()
    if not symbols or "X" in symbols:
        raise InvalidInputError(f"{path}: expected atoms of chemical elements, received {'X' if symbols else 'none'}")
    species = species_of(atoms, path)
    if not abs(np.linalg.det(lattice)) > 0:
        raise InvalidInputError(f"{path}: the cell has no volume; check its vectors")
    notes = _moments_of(atoms, numbered(species))
    positions = atoms.positions @ np.linalg.inv(lattice)
    a, b, c = map(bool, atoms.pbc)
    return right_handed(Crystal(lattice, positions, species, (), str(path), notes, periodic=(a, b, c)))


def _moments_of(atoms: Atoms, labels: tuple[str, ...]) -> tuple[str, ...]:
    """Return the note on moments: of which sites, else under which names (a total) the file holds them."""
    results = getattr(atoms.calc, "results", None) or {}
    held = {**atoms.info, **results, **atoms.arrays}
    found, totals = [], []
    for name in MOMENTS:
        try:
            values = np.asarray(held.get(name, 0.0), float)
        except (TypeError, ValueError):  # a word, no moment
            continue
        if values.ndim and len(values) == len(atoms):
            found += labels_with_moments(labels, values)
        elif stated_moments_left_out(name, values):
            totals.append(name)
    return moments_left_out(found) or (stated_moments_left_out(", ".join(totals)) if totals else ())


def looks_like_extended_xyz(head: str) -> bool:
    """Tell whether a text begins with a number of atoms and a line with a lattice."""
    lines = head.split("\n")
    return lines[0].strip().isdecimal() and "lattice=" in "".join(lines[1:2]).lower()


def read_extended_xyz(path: Path) -> Frames:
    """Return the frames of an extended XYZ, each by ASE, cut by the numbers of atoms that the file states.

    Raises
    ------
    InvalidInputError
        When a number of atoms is missing or wrong, or ASE understands a frame differently.
    """
    lines = text_of(path).split("\n")
    starts: list[tuple[int, int]] = []
    at = 0
    while at < len(lines):
        if not lines[at].strip():
            at += 1
            continue
        word = lines[at].strip()
        n = int(word) if word.isascii() and word.isdecimal() and len(word) < 10 else 0
        left = len(lines) - at - 2 - (not lines[-1].strip())
        if n < 1:
            raise InvalidInputError(f"{path}: line {at + 1}: expected the number of atoms, received {shown(word)}")
        if left < n:
            raise InvalidInputError(f"{path}: line {at + 1} says {n} atoms, but {max(left, 0)} lines follow")
        starts.append((at, n))
        at += n + 2

    def crystal(index: int) -> Crystal:
        from ase.io.extxyz import read_xyz

        start, n = starts[index]
        if "lattice=" not in lines[start + 1].lower():
            raise InvalidInputError(f"{path}: a molecule without a lattice; a crystal is needed (CIF, POSCAR ...)")
        rows = _with_elements(lines[start + 1], lines[start + 2 : start + n + 2], path)
        text = "\n".join([*lines[start : start + 2], *rows, ""])
        atoms = cast("Atoms", next(read_xyz(io.StringIO(text), 0)))
        if len(atoms) != n:
            raise InvalidInputError(f"{path}: line {start + 1} says {n} atoms, ASE reads {len(atoms)}; repair the file")
        return crystal_from_ase(atoms, path)

    return Frames(len(starts), crystal)


def _with_elements(comment: str, rows: Sequence[str], path: Path) -> list[str]:
    """Return the rows of a frame with deuterium as hydrogen; refuse what is no element: ASE would give no reason."""
    found = re.search(r"""Properties=["'{[]?([\w:]+)""", comment)
    parts = found.group(1).split(":") if found else ["species", "S", "1"]
    column = 0
    for name, width in zip(parts[::3], parts[2::3], strict=False):
        if name == "species":
            break
        column += int(width[:3]) if width.isdecimal() else 0
    else:
        return list(rows)
    changed = []
    for row in rows:
        words = row.split()
        symbol = element(words[column]) if column < len(words) else None
        if symbol is None:
            raise InvalidInputError(f"{path}: expected chemical elements, received {shown(row)}")
        changed.append(" ".join([*words[:column], symbol, *words[column + 1 :]]))
    return changed


def looks_like_xsf(head: str) -> bool:
    """Tell whether a text has XSF's sections of vectors and coordinates."""
    return re.search(r"(?m)^\s*PRIMVEC\b", head) is not None


def read_xsf(path: Path) -> Frames:
    """Return the frames of an XSF.

    Raises
    ------
    InvalidInputError
        When a number of atoms is wrong.
    """
    from ase.io.xsf import iread_xsf

    text = text_of(path)
    lines = [line.strip() for line in text.split("\n") if line.strip() and not line.lstrip().startswith("#")]
    if not lines or lines[0].split()[0] not in {"CRYSTAL", "SLAB", "ANIMSTEPS"}:
        raise InvalidInputError(
            f"{path}: expected an XSF that begins with CRYSTAL, received {shown(lines[0] if lines else '')}"
        )
    for at in (index for index, line in enumerate(lines) if line.startswith("PRIMCOORD")):
        rows = [bool(re.match(r"(?:\d+|[A-Za-z]{1,2})\s+[-+.\d]", line)) for line in lines[at + 2 :]]
        held = rows.index(False) if False in rows else len(rows)
        stated = "".join(lines[at + 1 : at + 2]).split()[:1]
        if stated != [str(held)]:
            raise InvalidInputError(f"{path}: PRIMCOORD says {' '.join(stated)} atoms, but {held} rows follow")
    return many([crystal_from_ase(cast("Atoms", atoms), path) for atoms in iread_xsf(io.StringIO(text))])


def looks_like_trajectory(head: str) -> bool:
    """Tell whether a file begins like a trajectory of ASE."""
    return head.startswith(TRAJECTORY)


def read_trajectory(path: Path) -> Frames:
    """Return the frames of ASE's .traj."""
    from ase.io.trajectory import TrajectoryReader

    def crystal(index: int) -> Crystal:
        with TrajectoryReader(str(path)) as frames:
            return crystal_from_ase(cast("Atoms", frames[index]), path)

    with TrajectoryReader(str(path)) as frames:
        return Frames(len(frames), crystal)


def looks_like_ase_json(head: str) -> bool:
    """Tell whether a text begins like ASE's JSON: structures under their numbers."""
    return re.match(r'\s*\{\s*"(?:\d+|ids|nextid)"\s*:', head) is not None


def read_ase_json(path: Path) -> Frames:
    """Return the rows of a JSON database of ASE, which ase.io.write makes too."""
    data = json.loads(text_of(path))
    if not isinstance(data, dict) or not isinstance(data.get("ids"), list):
        raise InvalidInputError(f"{path}: expected a structure of pymatgen or a database of ASE")
    from ase.db.row import AtomsRow
    from ase.io.jsonio import decode

    rows = [AtomsRow(decode(json.dumps(data[str(key)]))) for key in data["ids"]]
    return Frames(len(rows), lambda index: _crystal_of_row(rows[index], path))


def looks_like_sqlite(head: str) -> bool:
    """Tell whether a file begins like a database of SQLite."""
    return head.startswith(SQLITE)


def read_ase_database(path: Path) -> Frames:
    """Return the rows of ASE's SQLite database, which is not written to.

    Raises
    ------
    InvalidInputError
        When it is another database: ASE would make its tables in it.
    """
    with sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True) as database:
        tables = {name for (name,) in database.execute("select name from sqlite_master where type = 'table'")}
    database.close()
    if "systems" not in tables:
        raise InvalidInputError(f"{path}: a database, but none of ASE (it has no table of systems)")
    from ase.db import connect

    connection = connect(str(path), type="db", use_lock_file=False)
    ids = [row.id for row in connection.select(include_data=False)]
    return Frames(len(ids), lambda index: _crystal_of_row(connection.get(id=ids[index]), path))


def _crystal_of_row(row: AtomsRow, path: Path) -> Crystal:
    """Return the crystal of a row, checked against the number of atoms that it states."""
    atoms = row.toatoms()
    stated = row.get("natoms")
    if stated is not None and stated != len(atoms):
        raise InvalidInputError(f"{path}: a row states {stated} atoms and holds {len(atoms)}")
    return crystal_from_ase(atoms, path)
