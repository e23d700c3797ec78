"""Formal charges and bond-valence sums: what chemistry expects of a structure."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from math import sqrt
from typing import Any

import numpy as np

from orderparam.errors import InvalidInputError

from .crystal import Crystal
from .mixtures import occupancies
from .neighbours import find_neighbours
from .quiet import quiet


def formal_charges(crystal: Crystal) -> np.ndarray:
    """Return a formal charge per atom (n,), in electrons: the oxidation states that pymatgen thinks most likely.

    Cations +, anions -. One value per element, the composition neutral; a mixed site has the mean of its mixture.

    Raises
    ------
    InvalidInputError
        When no known oxidation states balance the composition.
    """
    from pymatgen.core import Composition, Species

    with quiet():
        if Composition.oxi_prob is None:  # pymatgen would read the same from YAML, in half a second
            known = _table()["occurrence"].items()
            Composition.oxi_prob = {Species.from_str(name): count for name, count in known}
        mixtures = [Composition(kind) for kind in crystal.species]
        total, _ = sum(mixtures, Composition()).get_integer_formula_and_factor(max_denominator=100)
        guesses = Composition(total).oxi_state_guesses()
    if not guesses:
        raise InvalidInputError(
            f"{crystal.formula}: no known oxidation states of its elements balance; point charges need an ionic crystal"
        )
    states = guesses[0]
    return np.array([sum(amount * states[element.symbol] for element, amount in m.items()) for m in mixtures])


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
