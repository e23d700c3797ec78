"""Energies of a series or map of distorted structures, read back from its table."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from orderparam.errors import InvalidInputError
from orderparam.parent import Parent
from orderparam.symmetry.parentirreps import ParentIrrep, named_irrep

_COLUMN = re.compile(r"^(strain )?(\S+) \[(?:(\d+):)?(\d+)\]$")

_LINE = " line"
"""Under this key (no column has it) a row knows its line in the file."""


@dataclass(frozen=True, eq=False)
class Energies:
    """Energies as a function of order parameters.

    Attributes
    ----------
    irreps : tuple of ParentIrrep
        One per order parameter, in the order of the columns; copies follow each other.
    names : tuple of str
        What each is called in the table.
    components : (m, n)
        Ap (angstrom), or strain.
    energies : (m,)
        Per primitive cell of the parent.
    n_empty : int
        Rows without an energy, which are left out.
    """

    irreps: tuple[ParentIrrep, ...]
    names: tuple[str, ...]
    components: np.ndarray
    energies: np.ndarray
    n_empty: int


def read_energies(parent: Parent, path: str | Path) -> Energies:
    """Read the table of `orderparam distort --series` or `--grid` after its column ``energy`` has been filled in.

    Energies are those of the files, of ``cells`` primitive cells of the parent.

    Raises
    ------
    InvalidInputError
        When the file cannot be read, a column is missing or a number is none.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise InvalidInputError(f"--energies {path}: cannot be read ({problem})") from problem
    reader = csv.DictReader(io.StringIO(text))
    rows = [row | {_LINE: str(reader.line_num)} for row in reader]
    columns = list(reader.fieldnames or []) if rows else []
    missing = [name for name in ("cells", "energy") if name not in columns]
    found = _order_parameters(columns)
    if missing or not found:
        wanted = " and ".join(missing) or "components such as R4+ [1]"
        raise InvalidInputError(
            f"--energies {path}: expected the index.csv of `orderparam distort --series` or `--grid`, without {wanted}"
        )
    filled = [row for row in rows if (row["energy"] or "").strip()]
    irreps, taken = [], []
    for name, own in found.items():
        irrep = named_irrep(parent, name[0].removeprefix("strain "))
        if len(own) != irrep.dimension:
            raise InvalidInputError(
                f"--energies {path}: expected {irrep.dimension} components of {name[0]}, received {len(own)} columns"
            )
        irreps.append(irrep)
        taken += own
    values = _numbers(path, filled, [*taken, "cells", "energy"])
    if (values[:, -2] < 1).any():
        raise InvalidInputError(f"--energies {path}: cells must be at least 1")
    names = tuple(name if copy == "" else f"{name} copy {copy}" for name, copy in found)
    return Energies(tuple(irreps), names, values[:, :-2], values[:, -1] / values[:, -2], len(rows) - len(filled))


def _order_parameters(columns: Sequence[str]) -> dict[tuple[str, str], list[str]]:
    """Return the columns of every order parameter, by name and copy."""
    found: dict[tuple[str, str], list[str]] = {}
    for column in columns:
        match = _COLUMN.match(column or "")
        if match:
            strain, label, copy, _ = match.groups()
            found.setdefault(((strain or "") + label, copy or ""), []).append(column)
    return found


def _numbers(path: str | Path, rows: Sequence[dict[str, str]], columns: Sequence[str]) -> np.ndarray:
    values = np.zeros((len(rows), len(columns)))
    for row, numbers in zip(rows, values, strict=True):
        for place, column in enumerate(columns):
            try:
                numbers[place] = float(row[column])
            except (TypeError, ValueError):
                numbers[place] = np.nan
            if not np.isfinite(numbers[place]):
                raise InvalidInputError(
                    f"--energies {path}, line {row[_LINE]}: {column} is {row[column] or 'empty'}, not a number"
                )
    return values
