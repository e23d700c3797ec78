"""What a CIF states of its contents beside the sites, and how a reading of the file compares with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orderparam.crystals.mixtures import FULL
from orderparam.crystals.neighbours import find_neighbours

from .blocks import Block
from .sites import Orbit
from .species import elements_of_formula, elements_of_sum

PART = 0.03
"""Amounts that agree to this part are equal: formulas and occupancies are rounded."""


FARTHEST_RATIO = 2.0
"""Pairs of atoms are looked for up to this part of the sum of their covalent radii."""


@dataclass(frozen=True)
class Facts:
    """Formula, number of formula units, volume and density, as far as the file states them.

    Attributes
    ----------
    formula : dict
        Element to amount in one formula unit; empty where the file has none.
    z : float or None
        Formula units in the cell.
    volume, density : float or None
        Cubic angstrom, g/cm^3.
    """

    formula: dict[str, float]
    z: float | None = None
    volume: float | None = None
    density: float | None = None


def facts_of(block: Block) -> Facts:
    """Return the facts that a block states; a formula may be any of the sum, structural and moiety formulas."""
    structural = block.value("_chemical_formula_structural", "_chemical_formula_moiety")
    return Facts(
        elements_of_sum(block.value("_chemical_formula_sum")) or elements_of_formula(structural),
        _number(block.value("_cell_formula_units_z")),
        _number(block.value("_cell_volume")),
        _number(block.value("_exptl_crystal_density_diffrn", "_exptl_crystal_density_meas")),
    )


def contents_of(orbits: Sequence[Orbit]) -> dict[str, float]:
    """Return how many atoms of every element a cell holds."""
    amounts: dict[str, float] = {}
    for orbit in orbits:
        for element, amount in orbit.contents.items():
            amounts[element] = amounts.get(element, 0.0) + amount * len(orbit.positions)
    return amounts


def agrees_with_formula(amounts: dict[str, float], facts: Facts) -> bool | None:
    """Whether a cell holds the stated formula, Z times where Z is stated; None where the file gives no formula.

    Many programs write the contents of the whole cell as the formula, and Z beside it: amounts that are all multiples
    of Z agree as they are, too.

    Hydrogen that is in the formula alone does not count against a file: its atoms are often not located.
    """
    if not facts.formula:
        return None
    wanted = dict(facts.formula)
    if "H" not in amounts and len(wanted) > 1:
        wanted.pop("H", None)
    if set(wanted) != set(amounts):
        return False
    ratios = np.array([amounts[element] / wanted[element] for element in wanted])
    if ratios.max() > ratios.min() * (1 + PART):
        return False
    if facts.z is None:
        return True
    whole = all(abs(amount / facts.z - round(amount / facts.z)) < 1e-6 for amount in facts.formula.values())
    return any(abs(ratios.mean() / units - 1) < PART for units in ((facts.z, 1.0) if whole else (facts.z,)))


def agrees_with_density(amounts: dict[str, float], volume: float, facts: Facts) -> bool | None:
    """Whether a cell has the stated density, None where the file gives none."""
    if not facts.density:
        return None
    return abs(density_of(amounts, volume) / facts.density - 1) < PART


def density_of(amounts: dict[str, float], volume: float) -> float:
    """Return the density of a cell, g/cm^3."""
    import gemmi

    mass = sum(gemmi.Element(element).weight * amount for element, amount in amounts.items())
    return mass / volume * 1.66053907  # one dalton per cubic angstrom in g/cm^3 (CODATA 2018)


def agrees_with_multiplicities(orbits: Sequence[Orbit]) -> bool | None:
    """Whether every orbit has as many points as its site states, None where no site states any."""
    stated = [(site.multiplicity, len(orbit.positions)) for orbit in orbits for site in orbit.sites]
    known = [(wanted, found) for wanted, found in stated if wanted is not None]
    return all(wanted == found for wanted, found in known) if known else None


def closest_ratio(orbits: Sequence[Orbit], lattice: np.ndarray) -> float:
    """Return the smallest distance between two atoms as a part of the sum of their covalent radii.

    Atoms that need not be there at once, their occupancies adding up to no more than one, are not compared. Infinite
    where no two are within `FARTHEST_RATIO` of the largest atoms.
    """
    import gemmi

    positions = np.concatenate([orbit.positions for orbit in orbits])
    radius = np.repeat(
        [max(gemmi.Element(element).covalent_r for element in orbit.contents) for orbit in orbits],
        [len(orbit.positions) for orbit in orbits],
    )
    occupancy = np.repeat([sum(o.contents.values()) for o in orbits], [len(o.positions) for o in orbits])
    found = find_neighbours(lattice, positions, FARTHEST_RATIO * 2 * float(radius.max()))
    both = occupancy[found.first] + occupancy[found.second] > 1 + FULL
    ratios = found.distances / (radius[found.first] + radius[found.second])
    return float(ratios[both].min()) if both.any() else np.inf


def contradicts(amounts: dict[str, float], volume: float, facts: Facts) -> bool:
    """Whether a cell cannot be all that the file means: the formula, Z or the density says otherwise."""
    return agrees_with_formula(amounts, facts) is False or agrees_with_density(amounts, volume, facts) is False


def mismatches(amounts: dict[str, float], volume: float, facts: Facts) -> list[str]:
    """Return in words where a cell differs from what the file states."""
    found = []
    if agrees_with_formula(amounts, facts) is False:
        stated = " ".join(f"{element}{amount:g}" for element, amount in facts.formula.items())
        units = f", Z = {facts.z:g}" if facts.z else ""
        has = " ".join(f"{element}{amount:.4g}" for element, amount in amounts.items())
        found.append(f"the sites give {has} in the cell, and the stated formula is {stated}{units}")
    attached = "H" in facts.formula and "H" not in amounts and len(facts.formula) > 1
    if attached:
        found.append("the stated formula has hydrogen, and no site holds any")
    if facts.volume and abs(facts.volume / volume - 1) > 0.01:
        found.append(f"the cell's volume is {volume:.2f} cubic angstrom, and {facts.volume:g} is stated")
    if agrees_with_density(amounts, volume, facts) is False and not found:
        found.append(f"the sites give {density_of(amounts, volume):.3f} g/cm^3, and {facts.density:g} is stated")
    return found


def _number(text: str | None) -> float | None:
    found = re.match(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", text or "")
    value = float(found[0]) if found else 0.0
    return value if np.isfinite(value) and value > 0 else None
