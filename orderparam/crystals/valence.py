"""Formal charges and bond-valence sums: what chemistry expects of a structure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cache
from importlib.resources import files
from math import gcd, lcm, sqrt
from typing import Any

import numpy as np

from orderparam.errors import InvalidInputError

from .crystal import Crystal
from .mixtures import occupancies
from .neighbours import find_neighbours


def formal_charges(crystal: Crystal) -> np.ndarray:
    """Return a formal charge per atom (n,), in electrons: the most likely oxidation states that balance.

    Cations +, anions -. One value per element, the mean where atoms of it have different states (Fe3O4: 8/3); a mixed
    site has the mean of its mixture. The sum over all atoms of how often each state occurs in the ICSD decides, as in
    pymatgen, whose tables these are.

    Raises
    ------
    InvalidInputError
        When no known oxidation states balance the composition.
    """
    mixtures = [occupancies(kind) for kind in crystal.species]
    states = _balanced_states(_whole_formula(mixtures))
    if states is None:
        raise InvalidInputError(
            f"{crystal.formula}: no known oxidation states of its elements balance; point charges need an ionic crystal"
        )
    return np.array([sum(amount * states[element] for element, amount in m.items()) for m in mixtures])


def _whole_formula(mixtures: Sequence[Mapping[str, float]]) -> dict[str, int]:
    """Return the composition in the smallest whole numbers; occupancies are rounded to fractions of up to 1/100."""
    total: dict[str, Fraction] = {}
    for mixture in mixtures:
        for element, amount in mixture.items():
            total[element] = total.get(element, Fraction(0)) + Fraction(amount).limit_denominator(100)
    scale = lcm(*(amount.denominator for amount in total.values()))
    whole = {element: int(amount * scale) for element, amount in total.items() if amount}
    divisor = gcd(*whole.values())
    return {element: count // divisor for element, count in whole.items()}


def _balanced_states(formula: Mapping[str, int]) -> dict[str, float] | None:
    """Return the mean oxidation state of every element in the most likely neutral choice, None where there is none."""
    if len(formula) == 1:
        return dict.fromkeys(formula, 0.0)
    # sum of charges -> (score, the sum of every element), element by element
    best: dict[int, tuple[int, tuple[int, ...]]] = {0: (0, ())}
    for element, count in formula.items():
        own = _sums_of(element, count)
        longer: dict[int, tuple[int, tuple[int, ...]]] = {}
        for charge, (score, parts) in best.items():
            for more, weight in own.items():
                if charge + more not in longer or score + weight > longer[charge + more][0]:
                    longer[charge + more] = (score + weight, (*parts, more))
        best = longer
    if 0 not in best:
        return None
    return {element: part / formula[element] for element, part in zip(formula, best[0][1], strict=True)}


def _sums_of(element: str, count: int) -> dict[int, int]:
    """Return the sums of charge that so many atoms of an element can have, each with its best score."""
    table = _table()
    found = {0: 0}
    for _ in range(count):
        longer: dict[int, int] = {}
        for charge, score in found.items():
            for state in table["states"].get(element, ()):
                sign = "-" if state < 0 else "+"
                seen = table["occurrence"].get(f"{element}{abs(state) if abs(state) != 1 else ''}{sign}", 0)
                longer[charge + state] = max(longer.get(charge + state, 0), score + seen)
        found = longer
    return found


def bond_valence_sums(crystal: Crystal, *, cutoff: float = 4.0) -> np.ndarray:
    """Return the bond-valence sum of every atom (n,); NaN where parameters are missing.

    A bond counts + for its less electronegative end and - for the other.

    ``V = sum exp((R - d) / 0.31)`` over the neighbours within `cutoff` (angstrom), R from the radii and
    electronegativities of O'Keeffe & Brese, J. Am. Chem. Soc. 113, 3226 (1991), as pymatgen has them.
    """
    pairs = find_neighbours(crystal.lattice, crystal.positions, cutoff)
    centres, neighbours, distances = pairs.first, pairs.second, pairs.distances
    kinds, kind_of = np.unique(np.array(crystal.species), return_inverse=True)
    mixtures = [_elements(str(kind)) for kind in kinds]
    valences = np.zeros(len(distances))
    for i, one in enumerate(mixtures):
        for j, other in enumerate(mixtures):
            between = (kind_of[centres] == i) & (kind_of[neighbours] == j)
            for first, share in one.items():
                for second, other_share in other.items():
                    valences[between] += share * other_share * _valences(first, second, distances[between])
    return np.bincount(centres, valences, minlength=crystal.n_sites)


def _valences(first: str, second: str, distances: np.ndarray) -> np.ndarray:
    """Return the valence that `first` gets from `second` over bonds of given lengths."""
    table = _table()
    if first == second or not {first, second} & set(table["electronegative"]):
        return np.zeros_like(distances)
    if first not in table["radii"] or second not in table["radii"]:
        return np.full_like(distances, np.nan)
    (r1, c1, x1), (r2, c2, x2) = table["radii"][first], table["radii"][second]
    length = r1 + r2 - r1 * r2 * (sqrt(c1) - sqrt(c2)) ** 2 / (c1 * r1 + c2 * r2)
    return np.exp((length - distances) / 0.31) * (1 if x1 < x2 else -1)


@cache
def _elements(kind: str) -> dict[str, float]:
    return occupancies(kind)


@cache
def _table() -> dict[str, Any]:
    return json.loads((files("orderparam") / "data/valence.json").read_text(encoding="utf-8"))
