"""Many children: temperatures, pressures, compositions, or any list of pairs; one row per structure.

Children of one parent are written in one domain, the nearest to the first of them, so that components can be compared
and plotted. A structure that fails takes its row with the reason and stops nothing.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from .crystals.crystal import Crystal, rename_species
from .crystals.selecting import check_names
from .discovery.analyse import Analysis
from .discovery.pair import PairSettings, part, read_whole_child, read_whole_parent, relate_pair
from .errors import InvalidInputError, OrderParamError
from .geometry import describe_geometry
from .parent import Parent, symmetrise
from .symmetry.alignment import align
from .tables import Row

PARENT, CHILD = "parent", "child"


@dataclass(frozen=True)
class Pair:
    """Two files, and what the list says about them.

    Attributes
    ----------
    parent, child : str
        Paths.
    extra : dict
        Further columns of the list, such as a temperature; they come first in the row.
    """

    parent: str
    child: str
    extra: dict[str, str] = field(default_factory=dict)


def read_list(path: str | Path) -> list[Pair]:
    """Read pairs from a CSV with the columns parent and child (paths relative to the list) and any others.

    Raises
    ------
    InvalidInputError
        When the file is missing, lacks a column or a row lacks an entry.
    """
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream, skipinitialspace=True)
            header = [name.strip() for name in reader.fieldnames or []]
            reader.fieldnames = header
            rows = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        reason = getattr(problem, "strerror", None) or "not comma-separated text in UTF-8"
        raise InvalidInputError(f"--list {path}: cannot be read ({reason}); expected a CSV") from problem
    if not {PARENT, CHILD} <= set(header):
        raise InvalidInputError(
            f"--list {path}: expected a CSV whose first line names the columns parent,child (and any others), found "
            f"{','.join(header) or 'nothing'}"
        )
    if not rows:
        raise InvalidInputError(f"--list {path}: no rows below the line parent,child")
    pairs = []
    for number, row in rows:
        if not row[PARENT] or not row[CHILD] or None in row or None in row.values():
            entries = [word for v in row.values() if v is not None for word in (v if isinstance(v, list) else [v])]
            raise InvalidInputError(
                f"--list {path}, line {number}: expected {len(header)} entries ({','.join(header)}), found "
                f"{','.join(entries) or 'none'}"
            )
        extra = {str(k): str(v) for k, v in row.items() if k not in {PARENT, CHILD}}
        place = path.parent
        pairs.append(Pair(str(place / row[PARENT]), str(place / row[CHILD]), extra))
    return pairs


def analyse_series(
    pairs: Sequence[Pair],
    settings: PairSettings,
    *,
    jobs: int = 1,
    on_row: Callable[[int], None] | None = None,
) -> list[Row]:
    """Analyse many pairs in several processes; rows in the order of the pairs.

    Parameters
    ----------
    pairs : sequence of Pair
    settings : PairSettings
    jobs : int
        Number of processes.
    on_row : callable, optional
        Called with the number of rows that are done.

    Examples
    --------
    >>> folder = "structures/perovskite/"
    >>> pairs = [Pair(folder + "LaMnO3_221.cif", folder + "LaMnO3_62.cif")]
    >>> (row,) = analyse_series(pairs, PairSettings())
    >>> row["symbol"], round(row["Ap R4+"], 4), row["glazer"]
    ('Pnma', 0.5963, 'a-a-c+')
    """
    # the first child of every parent that can be analysed sets the domain of the others
    rows: list[Row | None] = [None] * len(pairs)
    references: dict[str, Mapping[str, np.ndarray]] = {}
    for i, pair in enumerate(pairs):
        if pair.parent not in references:
            rows[i], components = _row(pair, settings, None)
            if components is not None:
                references[pair.parent] = components
    rest = [i for i, row in enumerate(rows) if row is None]
    n_done = len(pairs) - len(rest)
    tasks = [(pairs[i], settings, references[pairs[i].parent]) for i in rest]
    for i, row in zip(rest, _mapped(tasks, jobs), strict=True):
        rows[i] = row
        n_done += 1
        if on_row is not None:
            on_row(n_done)
    return [row for row in rows if row is not None]


def _mapped(tasks: Sequence[tuple[Any, ...]], jobs: int) -> Iterable[Row]:
    if jobs <= 1 or len(tasks) <= 1:
        yield from map(_task, tasks)
        return
    with ProcessPoolExecutor(max_workers=min(jobs, len(tasks))) as pool:
        yield from pool.map(_task, tasks, chunksize=max(1, min(8, len(tasks) // (4 * jobs))))


def _task(arguments: tuple[Pair, PairSettings, Mapping[str, np.ndarray]]) -> Row:
    return _row(*arguments)[0]


@lru_cache(maxsize=64)
def _whole_parent(path: str, settings: PairSettings) -> Crystal:
    """Return all atoms of a parent, elements renamed, read once for all its children."""
    crystal = read_whole_parent(path, settings)
    return rename_species(crystal, dict(settings.renaming)) if settings.renaming else crystal


@lru_cache(maxsize=64)
def _parent(path: str, settings: PairSettings) -> Parent:
    """Return a parent, symmetrised once for all its children."""
    return symmetrise(part(_whole_parent(path, settings), settings), settings.symprec, origin=settings.origin)


def _child(pair: Pair, settings: PairSettings) -> Crystal:
    """Return the part of a child that is to be compared; names must be those of the parent or the child."""
    parent = _whole_parent(pair.parent, settings)
    child = read_whole_child(pair.child, settings)
    check_names([parent, child], only=settings.only, ignore=settings.ignore)
    return part(child, settings)


def _row(
    pair: Pair, settings: PairSettings, reference: Mapping[str, np.ndarray] | None
) -> tuple[Row, Mapping[str, np.ndarray] | None]:
    """Return the row of one pair, and its components where it can be analysed."""
    row: Row = {**pair.extra, "parent": pair.parent, "child": pair.child}
    try:
        child = _child(pair, settings)
        analysis = relate_pair(_parent(pair.parent, settings), child, settings)
        aligned = align(analysis.decomposition, reference)
        return {**row, **series_row(analysis, aligned.components)}, aligned.components
    except OrderParamError as problem:
        return {**row, "error": " ".join(str(problem).split())}, None


def series_row(analysis: Analysis, components: Mapping[str, np.ndarray]) -> Row:
    """Return one row: groups, strain, amplitudes (Ap, angstrom) and their components in the common domain."""
    relation = analysis.relation
    number, symbol = relation.distortion.group.space_group
    errors = analysis.errors
    row: Row = {
        "space_group": number,
        "symbol": symbol,
        "cells": relation.distortion.supercell.n_cells,
        "mapping_rms": relation.correspondence.rms,
        "primary": " ".join(m.label for m in analysis.primary_members),
    }
    if analysis.noise is not None:
        row["sigma"] = analysis.noise.sigma
    scale = float(np.sqrt(relation.distortion.supercell.n_cells))
    for o in analysis.decomposition.displacive:
        row[f"Ap {o.label}"] = o.amplitude
        if errors is not None:
            row[f"error {o.label}"] = errors.amplitudes[o.label] / scale
    for o in analysis.decomposition.strain:
        row[f"strain {o.label}"] = o.amplitude
    row |= _geometry_columns(analysis)
    for name, values in components.items():
        for copy, own in enumerate(values, start=1):
            number_of_copy = f"{copy}:" if len(values) > 1 else ""
            row |= {f"{name} [{number_of_copy}{i}]": float(v) for i, v in enumerate(own, start=1)}
    row["warnings"] = "; ".join(analysis.warnings)
    return row


def _geometry_columns(analysis: Analysis) -> Row:
    """Return tilts (degrees, parent's axes) and mean bond lengths (angstrom) where there are octahedra."""
    geometry = describe_geometry(analysis.relation, analysis.decomposition)
    if not geometry.octahedra:
        return {}
    row: Row = {"glazer": geometry.glazer.symbol if geometry.glazer else ""}
    for tilt in geometry.tilts:
        row |= {f"tilt {tilt.axis} in phase": tilt.in_phase, f"tilt {tilt.axis} anti phase": tilt.anti_phase}
    row["mean bond"] = float(np.mean([o.bond_lengths for o in geometry.octahedra]))
    return row
