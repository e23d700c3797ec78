"""Which of several groups a CIF means: what the cell, the stated contents and the distances between atoms allow.

Every group that the statements leave open is tried. Out go those that the cell's metric does not have, that put two
atoms on one place, and, where one at least agrees, those that contradict the stated formula, number of formula units,
multiplicities or density. If several are left, the closest pair of atoms decides: q is the smallest distance as a part
of the sum of covalent radii. A reading with q above `APART` is out where a bonded one holds all its atoms and more. One
is taken when its q is at least `BONDED` and that of every other one smaller by `CLEARLY`; otherwise the file is
refused, and the line names the choices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from orderparam.errors import InvalidInputError

from .facts import (
    Facts,
    agrees_with_density,
    agrees_with_formula,
    agrees_with_multiplicities,
    closest_ratio,
    contents_of,
)
from .operations import keeps_metric
from .sites import FARTHEST, NoRoom, Orbit, Site, expand
from .statements import Reading, Statement

ROUNDED_CELL = 1e-3
"""A metric that a group changes by this part or less is rounded, and is averaged over the group."""

STRAINED_CELL = 0.03
"""A metric that a group changes by more than this does not have the group's symmetry."""

BONDED = 0.65
"""Atoms nearer than this part of the sum of their covalent radii are a sign of a wrong reading."""

APART = 1.5
"""A closest pair farther apart than this part of the sum of its covalent radii is no bond: atoms are missing."""

SAME = 0.02
"""Two readings whose atoms are nearer than this (angstrom) are one crystal, up to the rounding of its coordinates."""

CLEARLY = 0.85
"""Another reading is out when its closest pair is nearer than this part of the best one's."""


@dataclass(frozen=True, eq=False)
class Trial:
    """One reading with the atoms that follow from it."""

    reading: Reading
    orbits: tuple[Orbit, ...]
    notes: tuple[str, ...]
    lattice: np.ndarray

    @property
    def contents(self) -> dict[str, float]:
        """Atoms of every element in the cell."""
        return contents_of(self.orbits)

    @cached_property
    def closest(self) -> float:
        """The closest pair of atoms as a part of the sum of their covalent radii."""
        return closest_ratio(self.orbits, self.lattice)


def choose(
    statements: Sequence[Statement], sites: Sequence[Site], lattice: np.ndarray, facts: Facts, where: str
) -> tuple[Trial, list[str]]:
    """Return the reading that a file means, and notes on what else it could be.

    Raises
    ------
    InvalidInputError
        When no reading is possible, or several are and nothing decides between them.
    """
    readings, disagree = _agreed(statements)
    said = " and ".join(statement.said for statement in statements)
    fitting = [reading for reading in readings if _fit(reading, lattice) <= STRAINED_CELL]
    possible, faults = _possible(fitting, sites, lattice, facts)
    strained = min((_fit(reading, lattice) for reading in fitting), default=1.0) > ROUNDED_CELL
    alone = possible[0] if len(possible) == 1 else None
    unfit = strained or not possible or (alone is not None and _contradicts(alone, facts))
    close = not unfit and alone is not None and alone.closest < BONDED
    if (unfit or close) and not disagree and statements[0].kind in {"Hall", "H-M", "number"}:
        better = _in_another_setting(statements, sites, lattice, facts)
        if close:
            better = [trial for trial in better if trial.closest >= BONDED]
        if better:
            taken = _decide(better, where, said)
            return taken, [f"{said} does not fit the structure; the setting {taken.reading.name} does and is taken"]
    if not possible:
        raise InvalidInputError(f"{where}: {_why_none(readings, fitting, faults, lattice, said)}")
    taken = _decide(possible, where, said)
    notes = _notes(statements, taken, fitting, disagree, said)
    if (ratio := taken.closest) < BONDED:
        notes.append(
            f"two atoms are nearer than they can be, {ratio:.2f} of the sum of their covalent radii: check the file"
        )
    return taken, notes


def _notes(
    statements: Sequence[Statement], taken: Trial, fitting: Sequence[Reading], disagree: bool, said: str
) -> list[str]:
    """Return what was taken and what else it could be, where there was a choice."""
    others = [reading.name for reading in fitting if reading is not taken.reading]
    if disagree:
        name = "the list of operations" if taken.reading.name == "operations" else taken.reading.name
        return [f"{said} contradict each other; {name} is taken, which the structure fits best (--setting)"]
    if others:
        more = "" if statements[0].kind == "setting" else " (--setting)"
        return [f"{said} leaves the setting open; {taken.reading.name} is taken, not {', '.join(others)}{more}"]
    if all(statement.kind == "number" for statement in statements) and statements[0].fallback:
        return [f"{said} alone: its standard setting {taken.reading.name} is taken; another by --setting"]
    loose = [
        s.said for s in statements if not any(r.operations.keys == taken.reading.operations.keys for r in s.allowed)
    ]
    if loose and taken.reading.number is not None:
        return [f"{' and '.join(loose)}: another setting than {statements[0].said}, which is taken"]
    return []


def _in_another_setting(
    statements: Sequence[Statement], sites: Sequence[Site], lattice: np.ndarray, facts: Facts
) -> list[Trial]:
    """Return readings in other settings that fit: a symbol may name the type in place of the setting."""
    others = [r for s in statements for r in s.fallback if _fit(r, lattice) <= ROUNDED_CELL]
    trials, _ = _possible(_different(others), sites, lattice, facts)
    return [trial for trial in trials if not _contradicts(trial, facts)]


def _agreed(statements: Sequence[Statement]) -> tuple[list[Reading], bool]:
    """Return the readings that all statements share; those of all where they share none, and that they disagree.

    Listed operations stand against a symbol or number of the same type: it may name the type alone.
    """
    shared = list(statements[0].readings)
    for statement in statements[1:]:
        keys = {reading.operations.keys for reading in statement.allowed}
        narrowed = [reading for reading in shared if reading.operations.keys in keys]
        if not narrowed and shared[0].name == "operations" and _same_type(shared[0], statement.readings[0]):
            continue
        if not narrowed:
            return _different([reading for s in statements for reading in s.readings]), True
        shared = narrowed
    return _different(shared), False


def _same_type(one: Reading, other: Reading) -> bool:
    """Whether two groups can be of one type: by number, or by the kinds of their rotations where one has none."""
    if one.number is not None and other.number is not None:
        return one.number == other.number
    return _point_group_kinds(one) == _point_group_kinds(other)


def _point_group_kinds(reading: Reading) -> list[tuple[int, int]]:
    distinct = np.unique(reading.operations.rotations.reshape(-1, 9), axis=0).reshape(-1, 3, 3)
    return sorted((round(float(np.linalg.det(w))), int(np.trace(w))) for w in distinct)


def _different(readings: Sequence[Reading]) -> list[Reading]:
    found: dict[frozenset, Reading] = {}
    for reading in readings:
        found.setdefault(reading.operations.keys, reading)
    return list(found.values())


def _fit(reading: Reading, lattice: np.ndarray) -> float:
    return keeps_metric(reading.operations, lattice @ lattice.T)


def _possible(
    readings: Sequence[Reading], sites: Sequence[Site], lattice: np.ndarray, facts: Facts
) -> tuple[list[Trial], list[str]]:
    """Return the readings that no hard fact excludes, and why the others are out."""
    best = min((_fit(reading, lattice) for reading in readings), default=0.0)
    trials, faults = [], []
    for reading in readings:
        if best <= ROUNDED_CELL < _fit(reading, lattice):
            continue
        try:
            orbits, notes = expand(sites, reading.operations, lattice)
        except NoRoom as problem:
            faults.append(str(problem))
            continue
        trial = Trial(reading, tuple(orbits), tuple(notes), lattice)
        if not any(_same_atoms(trial, other) for other in trials):
            trials.append(trial)
    if len(trials) > 1:
        apart = [trial for trial in trials if _shortest(trial) >= FARTHEST]
        trials = apart or trials
    for agrees in (
        lambda trial: agrees_with_formula(trial.contents, facts),
        lambda trial: agrees_with_multiplicities(trial.orbits),
        lambda trial: agrees_with_density(trial.contents, abs(float(np.linalg.det(lattice))), facts),
    ):
        if len(trials) > 1:
            trials = [trial for trial in trials if agrees(trial)] or trials
    return trials, faults


def _same_atoms(one: Trial, other: Trial) -> bool:
    """Whether two readings give the same crystal, up to rounding, as where symmetry repeats what is listed."""
    (first, kinds), (second, others) = _atoms(one), _atoms(other)
    if sorted(kinds) != sorted(others):
        return False
    gaps = first[:, None] - second[None]
    distances = np.linalg.norm((gaps - np.rint(gaps)) @ one.lattice, axis=2)
    nearest = distances.argmin(axis=1)
    return bool(distances.min(axis=1).max() < SAME) and [others[i] for i in nearest] == kinds


def _is_part_of(one: Trial, other: Trial) -> bool:
    """Whether the atoms of one reading are some of another's: an asymmetric unit taken for the whole."""
    (first, kinds), (second, others) = _atoms(one), _atoms(other)
    if len(kinds) >= len(others):
        return False
    gaps = first[:, None] - second[None]
    distances = np.linalg.norm((gaps - np.rint(gaps)) @ one.lattice, axis=2)
    return bool(distances.min(axis=1).max() < SAME) and [others[i] for i in distances.argmin(axis=1)] == kinds


def _atoms(trial: Trial) -> tuple[np.ndarray, list[str]]:
    kinds = [orbit.species for orbit in trial.orbits for _ in orbit.positions]
    return np.concatenate([orbit.positions for orbit in trial.orbits]), kinds


def _shortest(trial: Trial) -> float:
    from orderparam.crystals.crystal import shortest_distance

    positions = np.concatenate([orbit.positions for orbit in trial.orbits])
    return shortest_distance(trial.lattice, positions) if len(positions) > 1 else np.inf


def _contradicts(trial: Trial, facts: Facts) -> bool:
    """Whether a reading cannot be what the file means: it has too much or too little, or atoms that overlap."""
    return agrees_with_formula(trial.contents, facts) is False or _shortest(trial) < FARTHEST


def _decide(trials: Sequence[Trial], where: str, said: str) -> Trial:
    if len(trials) == 1:
        return trials[0]
    ratios = [trial.closest for trial in trials]
    bonded = [trial for trial, ratio in zip(trials, ratios, strict=True) if BONDED <= ratio <= APART]
    sparse = [
        ratio > APART and any(_is_part_of(trial, other) for other in bonded)
        for trial, ratio in zip(trials, ratios, strict=True)
    ]
    trials = [trial for trial, left_out in zip(trials, sparse, strict=True) if not left_out]
    ratios = [ratio for ratio, left_out in zip(ratios, sparse, strict=True) if not left_out]
    if len(trials) == 1:
        return trials[0]
    order = np.argsort(ratios)[::-1]
    best, second = ratios[order[0]], ratios[order[1]]
    if best >= BONDED and second < CLEARLY * best:
        return trials[order[0]]
    names = ", ".join(trial.reading.name for trial in trials)
    raise InvalidInputError(
        f"{where}: {said} can mean {names}, and neither formula nor distances decide; choose with --setting, such as "
        f"--setting '{trials[order[0]].reading.name}'"
    )


def _why_none(
    readings: Sequence[Reading], fitting: Sequence[Reading], faults: Sequence[str], lattice: np.ndarray, said: str
) -> str:
    if fitting:
        return faults[0] if faults else f"{said}: no reading gives a structure; correct the symmetry or give --setting"
    lengths = np.linalg.norm(lattice, axis=1)
    cosines = [lattice[i] @ lattice[j] / lengths[i] / lengths[j] for i, j in ((1, 2), (0, 2), (0, 1))]
    angles = np.degrees(np.arccos(np.clip(cosines, -1, 1)))
    cell = ", ".join(f"{value:g}" for value in np.round([*lengths, *angles], 4))
    names = " and ".join(dict.fromkeys(reading.name for reading in readings))
    if said.startswith("--setting"):
        return f"the cell ({cell}) does not have the symmetry asked for ({said})"
    return (
        f"the cell ({cell}) does not have the symmetry that the file states ({said}"
        f"{'' if len(readings) == 1 and readings[0].name in said else f': {names}'}); correct either, or give --setting"
    )
