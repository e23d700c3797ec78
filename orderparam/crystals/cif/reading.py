"""Read the crystal that a CIF holds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np

from orderparam.crystals.crystal import Crystal
from orderparam.crystals.elements import electronegativity
from orderparam.crystals.frames import Frames, pick
from orderparam.crystals.mixtures import FULL
from orderparam.crystals.moments import SMALLEST_MOMENT, moments_left_out
from orderparam.crystals.uncertainties import Uncertainties, number_with_uncertainty
from orderparam.errors import InvalidInputError
from orderparam.lattice import cell_vectors

from .blocks import Block, crystal_blocks, read_blocks
from .choice import ROUNDED_CELL, choose
from .facts import Facts, contradicts, facts_of, mismatches
from .operations import Operations, from_hall, keeps_metric
from .sites import COARSEST, NOTED, TOO_FULL, Orbit, Site
from .species import element_of
from .statements import Reading, Statement, asked, statements_of

_LENGTHS = tuple(f"_cell_length_{axis}" for axis in "abc")
_ANGLES = tuple(f"_cell_angle_{angle}" for angle in ("alpha", "beta", "gamma"))
_FRACTIONAL = tuple(f"_atom_site_fract_{axis}" for axis in "xyz")
_CARTESIAN = tuple(f"_atom_site_cartn_{axis}" for axis in "xyz")
_MOMENTS = ("_atom_site_moment_label", "_atom_site_magn_moment_label")
_LISTED = Statement("setting", "no symmetry stated", (Reading("P 1", from_hall("P 1"), 1),))


def read_cif(path: Path, *, setting: str | None = None, frame: int | str | None = None) -> Crystal:
    """Return the crystal of a CIF.

    The symmetry is that of the operations listed; else of the Hall symbol; else of the Hermann-Mauguin symbol; else of
    the number. Where several of these disagree, or one leaves the setting open, the structure decides (`choice`) and a
    note says so. Rounded special positions are made exact (`sites`), and so is a rounded cell.

    Parameters
    ----------
    path : Path
    setting : str, optional
        The space-group setting to read the file in, whatever it states; ``operations`` for those that it lists.
    frame : int or str, optional
        Which of several blocks with a structure, from 1; the first by default, and a note says so.

    Raises
    ------
    InvalidInputError
    """
    blocks, notes = read_blocks(path)
    holding = crystal_blocks(blocks)
    if not holding:
        raise InvalidInputError(f"{path}: the CIF holds no structure (no cell, or no atom sites)")
    if frame is not None:
        crystal = pick(Frames(len(holding), lambda i: _read_block(holding[i], setting, path)), frame, str(path))
    else:
        crystal = _read_block(holding[0], setting, path)
        if len(holding) > 1:
            first = f"the first is used (data_{holding[0].name}; --frame N takes another)"
            notes = (*notes, f"{path.name} holds {len(holding)} structures; {first}")
    return replace(crystal, notes=(*notes, *crystal.notes))


def _read_block(chosen: Block, setting: str | None, path: Path) -> Crystal:
    statements, symmetry_notes = _statements(chosen, setting, path)
    values, cell_sigmas = _cell(chosen, path)
    lattice, angle_notes = _lattice(values, statements, path)
    facts = facts_of(chosen)
    sites, uncertainties, site_notes = _sites(chosen, lattice, cell_sigmas, facts, path)
    trial, choice_notes = choose(statements, sites, lattice, facts, str(path))
    lattice, cell_notes = _settled_cell(lattice, trial.reading.operations, path.name)
    volume = abs(float(np.linalg.det(lattice)))
    found = mismatches(trial.contents, volume, facts)
    if statements[0] is _LISTED and contradicts(trial.contents, volume, facts):
        raise InvalidInputError(
            f"{path}: the file states no symmetry, and {found[0]}; give the symmetry, or --setting SYMBOL"
        )
    own = (*choice_notes, *trial.notes, *found)
    return _crystal(
        lattice, trial.orbits, uncertainties, path,
        (*symmetry_notes, *angle_notes, *site_notes, *cell_notes, *(f"{path.name}: {note}" for note in own)),
    )  # fmt: skip


def _cell(block: Block, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the six cell parameters (NaN for angles that the file does not give) and their uncertainties."""
    texts = [block.value(tag) for tag in (*_LENGTHS, *_ANGLES)]
    missing = [tag for tag, text in zip(_LENGTHS, texts, strict=False) if text is None]
    if missing:
        raise InvalidInputError(f"{path}: the cell is not complete: {', '.join(missing)} is missing")
    numbers = [
        number_with_uncertainty(text, f"{path}: {tag}") if text is not None else (np.nan, 0.0)
        for tag, text in zip((*_LENGTHS, *_ANGLES), texts, strict=True)
    ]
    values, sigmas = np.array(numbers).T
    known = values[~np.isnan(values)]
    if not np.isfinite(known).all() or known.min() <= 0 or (values[3:] >= 180).any():
        raise InvalidInputError(
            f"{path}: the cell {' '.join(f'{v:g}' for v in values)} is none; expected lengths above 0 and angles "
            "between 0 and 180"
        )
    return values, sigmas


def _lattice(values: np.ndarray, statements: Sequence[Statement], path: Path) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the lattice (3, 3); angles that are not given are those that the stated symmetry fixes, with a note.

    Raises
    ------
    InvalidInputError
        When an angle is missing that the symmetry leaves free.
    """
    missing = np.flatnonzero(np.isnan(values))
    if not len(missing):
        return cell_vectors(values[:3], values[3:], str(path)), ()
    groups = [reading.operations for statement in statements for reading in statement.readings]

    def fits(cell: np.ndarray) -> bool:
        try:
            lattice = cell_vectors(cell[:3], cell[3:])
        except InvalidInputError:  # angles of which none can be meant
            return False
        return any(keeps_metric(group, lattice @ lattice.T) < ROUNDED_CELL for group in groups)

    for choices in product((90.0, 120.0), repeat=len(missing)):
        cell = values.copy()
        cell[missing] = choices
        others = np.tile(cell, (len(missing), 1))
        others[np.arange(len(missing)), missing] -= 2.0
        if fits(cell) and not any(fits(other) for other in others):
            names = ", ".join(f"{_ANGLES[i - 3].removeprefix('_cell_angle_')} {cell[i]:g}" for i in missing)
            return cell_vectors(cell[:3], cell[3:]), (
                f"{path.name}: angles that the file does not give follow from its symmetry: {names}",
            )
    names = ", ".join(_ANGLES[i - 3] for i in missing)
    raise InvalidInputError(f"{path}: the cell is not complete: {names} is missing, and the symmetry does not fix it")


def _sites(
    block: Block, lattice: np.ndarray, cell_sigmas: np.ndarray, facts: Facts, path: Path
) -> tuple[list[Site], Uncertainties | None, list[str]]:
    """Return the listed sites that hold atoms, their uncertainties, and notes."""
    rows, sigmas, left_out, doubts = [], [], [], []
    isotopes: dict[str, set[tuple[float, ...]]] = {}
    for row in _rows(block):
        where = f"{path}: {row.label}"
        if row.flag == "dum":
            left_out.append(f"{row.label} (a dummy)")
            continue
        try:
            element, doubt = element_of(row.type, row.name, frozenset(facts.formula))
        except InvalidInputError as problem:
            raise InvalidInputError(f"{path}: {problem}") from None
        doubts += [doubt] if doubt else []
        occupancy = number_with_uncertainty(row.occupancy or "1", f"{where}: occupancy")[0]
        if reason := _reason_to_leave_out(row, element, occupancy):
            left_out.append(f"{row.label} ({reason})")
            continue
        if not 0 < occupancy <= TOO_FULL:
            raise InvalidInputError(f"{where}: the occupancy is {occupancy:g}; expected a number from 0 to 1")
        if None in row.coordinates:
            raise InvalidInputError(
                f"{where}: expected numbers as coordinates, found '?' or '.'; give them, or leave the site out"
            )
        position, sigma, rounding = _position(row, where)
        if row.cartesian:
            matrix, vector = _to_fractional(block, lattice, path)
            position, sigma, rounding = matrix @ position + vector, np.abs(matrix) @ sigma, np.abs(matrix) @ rounding
        rows.append(
            Site(row.label, str(element), position, rounding, min(occupancy, 1.0), row.multiplicity, row.type or "")
        )
        sigmas.append(sigma)
        if element == "H":
            isotopes.setdefault((row.type or row.label)[:1].upper(), set()).add(tuple(position))
    if not rows:
        raise InvalidInputError(f"{path}: no atom is left; every site is a vacancy, a dummy or without coordinates")
    notes = [f"{path.name}: left out: {', '.join(left_out)}"] if left_out else []
    notes += [f"{path.name}: {doubt}" for doubt in dict.fromkeys(doubts)]
    if {"H", "D"} <= set(isotopes) and isotopes["H"] != isotopes["D"]:
        notes.append(f"{path.name}: deuterium is read as hydrogen, and the file has both in different places")
    notes += moments_left_out(_sites_with_moments(block))
    known = Uncertainties(np.array([row.position for row in rows]), np.array(sigmas), cell_sigmas)
    return rows, known if known.sigmas.any() or cell_sigmas.any() else None, notes


@dataclass(frozen=True)
class _Row:
    """One row of the list of sites, as text."""

    label: str
    name: str | None
    type: str | None
    coordinates: tuple[str | None, ...]
    cartesian: bool
    occupancy: str | None
    multiplicity: int | None
    flag: str


def _rows(block: Block) -> list[_Row]:
    tags, columns = _coordinates(block)
    n = len(columns[0])

    def column(*names: str) -> list[str | None]:
        values = block.column(*names)
        return values if len(values) == n else [None] * n

    names, types = column("_atom_site_label"), column("_atom_site_type_symbol")
    occupancies, flags = column("_atom_site_occupancy"), column("_atom_site_calc_flag")
    multiplicities = column("_atom_site_site_symmetry_multiplicity", "_atom_site_symmetry_multiplicity")
    return [
        _Row(
            names[i] or types[i] or f"row {i + 1}",
            names[i],
            types[i],
            tuple(values[i] for values in columns),
            tags == _CARTESIAN,
            occupancies[i],
            _multiplicity(multiplicities[i]),
            (flags[i] or "").lower(),
        )
        for i in range(n)
    ]


def _reason_to_leave_out(row: _Row, element: str | None, occupancy: float) -> str | None:
    if element is None:
        return "a vacancy"
    if 0 <= occupancy <= FULL:
        return f"occupancy {occupancy:g}"
    return "no coordinates" if element == "H" and None in row.coordinates else None


def _position(row: _Row, where: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return coordinates as listed, their uncertainties, and half a unit of their last digits."""
    numbers = [_coordinate(str(text), f"{where}: {axis}") for axis, text in zip("xyz", row.coordinates, strict=True)]
    position, sigma, rounding = (np.array(part) for part in zip(*numbers, strict=True))
    return position, sigma, rounding


def _to_fractional(block: Block, lattice: np.ndarray, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return M and v of x = M r + v, Cartesian to fractional, as stated or as a rectangular cell has it.

    Raises
    ------
    InvalidInputError
        When the cell is oblique, and the file does not say how the axes stand.
    """

    def stated(*names: str) -> np.ndarray | None:
        for name in names:
            elements = [
                block.value(f"{name}_matrix_{i}{j}", f"{name}_matrix[{i}][{j}]") for i in (1, 2, 3) for j in (1, 2, 3)
            ]
            shift = [block.value(f"{name}_vector_{i}", f"{name}_vector[{i}]") or "0" for i in (1, 2, 3)]
            if None not in elements:
                numbers = [number_with_uncertainty(str(text), f"{path}: {name}")[0] for text in (*elements, *shift)]
                return np.array(numbers)
        return None

    if (numbers := stated("_atom_sites_fract_tran", "_atom_sites_fract_transf")) is not None:
        return numbers[:9].reshape(3, 3), numbers[9:]
    if (numbers := stated("_atom_sites_cartn_tran", "_atom_sites_cartn_transf")) is not None:
        matrix = numbers[:9].reshape(3, 3)
        if abs(np.linalg.det(matrix)) < 1e-6:
            raise InvalidInputError(f"{path}: the matrix _atom_sites_Cartn_tran_matrix has no inverse; repair it")
        return np.linalg.inv(matrix), -np.linalg.inv(matrix) @ numbers[9:]
    if np.abs(lattice - np.diag(np.diag(lattice))).max() > 1e-6:
        raise InvalidInputError(
            f"{path}: Cartesian coordinates in an oblique cell, and the file does not say how its axes stand; give "
            "fractional coordinates, or _atom_sites_Cartn_tran_matrix"
        )
    return np.linalg.inv(lattice).T, np.zeros(3)


def _sites_with_moments(block: Block) -> list[str]:
    """Return the labels of sites with a moment in any component, crystal or Cartesian, that is known and not small."""
    labels = block.column(*_MOMENTS)
    found = []
    for i, label in enumerate(labels):
        parts = [
            column[i]
            for tag, column in block.columns.items()
            if re.match(r"_atom_site_moment_(crystalaxis|cartn)_[xyz]$", tag) and len(column) == len(labels)
        ]
        sizes = [abs(float(number[0])) for part in parts if (number := re.match(r"[-+]?(\d+\.?\d*|\.\d+)", part or ""))]
        if label and max(sizes, default=0.0) > SMALLEST_MOMENT:
            found.append(label)
    return found


def _coordinates(block: Block) -> tuple[tuple[str, ...], list[list[str | None]]]:
    for tags in (_FRACTIONAL, _CARTESIAN):
        columns = [block.columns.get(tag, []) for tag in tags]
        if all(columns) and len({len(column) for column in columns}) == 1:
            return tags, columns
    raise InvalidInputError(f"data_{block.name}: the atom sites need x, y and z; expected {', '.join(_FRACTIONAL)}")


def _coordinate(text: str, where: str) -> tuple[float, float, float]:
    """Return a coordinate, its uncertainty and half a unit of its last digit; fractions and eighths are exact."""
    if found := re.fullmatch(r"\s*([-+]?\d+)\s*/\s*([1-9]\d*)\s*", text):
        return int(found[1]) / int(found[2]), 0.0, 0.0
    value, sigma = number_with_uncertainty(text, where)
    if (8 * value).is_integer():
        return value, sigma, 0.0
    digits = re.fullmatch(r"[-+]?\d*\.?(\d*)(?:[eE]([-+]?\d+))?(?:\(.*\))?", text.strip())
    decimals = len(digits[1]) - int(digits[2] or 0) if digits else 0
    return value, sigma, 0.5 * min(10.0 ** -max(decimals, 0), COARSEST)


def _multiplicity(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"[1-9]\d{0,3}", text) else None


def _statements(block: Block, setting: str | None, path: Path) -> tuple[list[Statement], list[str]]:
    if setting is not None and setting.strip().lower() != "operations":
        return [asked(setting, str(path))], [f"{path.name} is read in the setting asked for, {setting}"]
    statements, notes = statements_of(block, path)
    if setting is not None:
        listed = [statement for statement in statements if statement.kind == "operations"]
        if not listed:
            raise InvalidInputError(f"{path}: --setting operations: the file lists no operations; give a symbol")
        return listed, [f"{path.name} is read with the operations that it lists, as asked for"]
    if not statements:
        return [_LISTED], [f"{path.name} states no symmetry; its atoms are taken as they are listed (P1)"]
    return statements, notes


def _settled_cell(lattice: np.ndarray, operations: Operations, name: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the cell with its metric averaged over the operations where it is rounded."""
    metric = lattice @ lattice.T
    change = keeps_metric(operations, metric)
    if change < 1e-12:
        return lattice, ()
    if change > ROUNDED_CELL:
        return lattice, (
            f"{name}: the cell has the symmetry that the file states only to {change:.1%}; it is taken as it stands",
        )
    w = operations.rotations
    mean = np.einsum("nji,jk,nkl->il", w, metric, w) / len(w)
    # the symmetric stretch from one metric to the other leaves the orientation as it is
    inverse = np.linalg.inv(lattice)
    values, vectors = np.linalg.eigh(inverse @ mean @ inverse.T)
    settled = lattice @ (vectors * np.sqrt(values)) @ vectors.T
    moved = float(np.linalg.norm(settled - lattice, axis=1).max())
    note = (
        f"{name}: the rounded cell is made exact by the stated symmetry; its edges move by up to {moved:.3f} angstrom"
    )
    return settled, (note,) if moved > NOTED else ()


def _crystal(
    lattice: np.ndarray, orbits: Sequence[Orbit], uncertainties: Uncertainties | None, path: Path,
    notes: tuple[str, ...],
) -> Crystal:  # fmt: skip
    orbits = sorted(
        orbits, key=lambda orbit: (electronegativity(orbit.species), orbit.species)
    )  # as formulas are written
    counts = [len(orbit.positions) for orbit in orbits]
    species = tuple(orbit.species for orbit, n in zip(orbits, counts, strict=True) for _ in range(n))
    labels = tuple(orbit.label for orbit, n in zip(orbits, counts, strict=True) for _ in range(n))
    positions = np.concatenate([orbit.positions for orbit in orbits])
    return Crystal(lattice, positions, species, labels, str(path), notes, uncertainties)
