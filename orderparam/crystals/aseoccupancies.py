"""Occupancies in ASE's atoms: ASE draws one element per site, and keeps what else is there beside the atoms."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from orderparam.errors import InvalidInputError

from .filetext import element, shown
from .mixtures import FULL, species_text

if TYPE_CHECKING:
    from ase import Atoms

NAMES = ("occupancy", "occupancies")
"""Under these names: a column with one number per atom, or, as `ase.spacegroup.crystal` has it, what stands on the
sites of every number in the column ``spacegroup_kinds``."""


def species_of(atoms: Atoms, path: Path) -> tuple[str, ...]:
    """Return the species of all sites, mixtures such as ``K0.7Na0.3`` where the file has them.

    Raises
    ------
    InvalidInputError
        When occupancies are given but not for every site, or are none.
    """
    symbols = atoms.get_chemical_symbols()
    held = {**atoms.info, **atoms.arrays}
    named = [name for name in NAMES if held.get(name) is not None]
    if not named:
        return tuple(symbols)
    if len(named) > 1:
        raise InvalidInputError(f"{path}: it has both {' and '.join(named)}; which counts?")
    given = held[named[0]]
    if isinstance(given, Mapping):
        parts = _by_kind(given, atoms, symbols, path)
    else:
        parts = [{symbol: value} for symbol, value in zip(symbols, _by_atom(given, len(atoms), path), strict=True)]
    return tuple(_species(part, path) for part in parts)


def _by_atom(given: Any, n: int, path: Path) -> list[float]:
    try:
        values = np.asarray(given, float)
    except (TypeError, ValueError):
        values = np.array([])
    if values.shape != (n,):
        raise InvalidInputError(
            f"{path}: expected one occupancy for each of its {n} atoms, received {shown(str(given))}; give a CIF"
        )
    return values.tolist()


def _by_kind(given: Mapping[Any, Any], atoms: Atoms, symbols: list[str], path: Path) -> list[Mapping[str, float]]:
    """Return what stands on every site; without the numbers of the kinds only where every site is full of one."""
    table = {str(kind): part for kind, part in given.items()}
    kinds = atoms.arrays.get("spacegroup_kinds")
    if kinds is None and all(_is_full(part) for part in table.values()):
        return [{symbol: 1.0} for symbol in symbols]
    if kinds is None:
        raise InvalidInputError(
            f"{path}: it has occupancies, but not whose (no spacegroup_kinds); ASE keeps them in extended XYZ, or give "
            "a CIF"
        )
    parts = [table.get(str(kind)) for kind in kinds.tolist()]
    for symbol, part, kind in zip(symbols, parts, kinds.tolist(), strict=True):
        if not isinstance(part, Mapping) or symbol not in {element(str(name)) for name in part}:
            raise InvalidInputError(
                f"{path}: expected the occupancy of {symbol} on sites of kind {kind}, received {shown(str(part))}"
            )
    return [part for part in parts if part is not None]


def _is_full(part: Any) -> bool:
    return isinstance(part, Mapping) and [v for v in part.values() if v] == [1.0]


def _species(part: Mapping[str, float], path: Path) -> str:
    """Return an element where a site is full of it, else its mixture."""
    amounts: dict[str, float] = {}
    for name, amount in part.items():
        symbol = element(str(name))
        if symbol is None or not isinstance(amount, int | float) or not 0 <= amount <= 1 + FULL:
            raise InvalidInputError(
                f"{path}: expected occupancies of chemical elements from 0 to 1, received {shown(f'{name} {amount}')}"
            )
        if amount:
            amounts[symbol] = amounts.get(symbol, 0.0) + amount
    total = sum(amounts.values())
    if not 0 < total <= 1 + FULL:
        raise InvalidInputError(
            f"{path}: occupancies of a site sum to {total:.3g} ({shown(str(dict(part)))}), expected above 0 to 1"
        )
    if len(amounts) == 1 and total >= 1 - FULL:
        return next(iter(amounts))
    return species_text(amounts)
