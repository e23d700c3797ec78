"""Compare what parent and child are made of, before any geometry."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from math import gcd

from orderparam.errors import MatchingError

SLIGHT = 0.1
"""Occupancies of a mixed site that differ by at most this are the same mixture, with a warning."""


def occupancies(species: str) -> dict[str, float]:
    """Return the occupancies of a species.

    Examples
    --------
    >>> occupancies("Ca0.5Sr0.5"), occupancies("O")
    ({'Ca': 0.5, 'Sr': 0.5}, {'O': 1.0})
    """
    return {symbol: float(amount or 1) for symbol, amount in re.findall(r"([A-Z][a-z]?)([\d.]*)", species)}


def same_mixtures(
    parent_species: Sequence[str], child_species: Sequence[str]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Find species of the child that are slightly different mixtures of the same elements as one of the parent.

    Returns
    -------
    names : dict
        The parent's species by the child's.
    notes : tuple of str
        One line with the numbers for each.
    """
    names, notes = {}, []
    for kind in sorted(set(child_species) - set(parent_species)):
        mine = occupancies(kind)
        for other in sorted(set(parent_species)):
            theirs = occupancies(other)
            gap = max((abs(mine[e] - theirs[e]) for e in mine), default=1.0) if set(mine) == set(theirs) else 1.0
            if gap <= SLIGHT:
                names[kind] = other
                notes.append(
                    f"{kind} of the child is taken for {other} of the parent: occupancies differ by up to {gap:.3g}"
                )
                break
    return names, tuple(notes)


def compare_compositions(parent_species: Sequence[str], child_species: Sequence[str]) -> int:
    """Return how many primitive cells of the parent make one primitive cell of the child.

    Parameters
    ----------
    parent_species, child_species : sequence of str
        The species of every atom of the two primitive cells; a mixture of species on one site is one string.

    Raises
    ------
    MatchingError
        If the compositions differ, or the child's cell does not hold a whole multiple of the parent's atoms.
    """
    parent, child = Counter(parent_species), Counter(child_species)
    if not parent or not child:
        raise MatchingError("parent and child need at least one atom each")
    ratios = {name: Fraction(child[name], parent[name]) for name in parent}
    if set(child) - set(parent) or len(set(ratios.values())) > 1:
        raise MatchingError(_describe_difference(parent, child))
    ratio = next(iter(ratios.values()))
    n_parent, n_child = len(parent_species), len(child_species)
    if ratio < 1:
        raise MatchingError(
            f"the child's primitive cell has fewer atoms than the parent's ({n_child} and {n_parent}), and breaking "
            "symmetry cannot make it smaller: did you swap the files?"
        )
    if ratio.denominator != 1:
        raise MatchingError(
            f"the child's primitive cell should hold a whole multiple of the parent's {n_parent} atoms, but holds "
            f"{n_child} ({ratio} times as many): this parent cannot be distorted into this child; a parent of higher "
            "symmetry with a smaller cell may exist"
        )
    return int(ratio)


def _describe_difference(parent: Counter[str], child: Counter[str]) -> str:
    """Say which atoms are too many or too few, per formula unit of the parent."""
    n_units = gcd(*parent.values())
    unit = {name: count // n_units for name, count in parent.items()}
    # measure by the number of formula units that most species agree on; in doubt, by the rarest species
    votes = Counter(
        Fraction(child[name], unit[name]) for name in sorted(unit, key=lambda s: (unit[s], s)) if child[name]
    )
    n_child_units = votes.most_common(1)[0][0] if votes else Fraction(1)
    found = []
    for name in [*unit, *(extra for extra in child if extra not in unit)]:
        surplus = child[name] / n_child_units - unit.get(name, 0)
        if surplus:
            found.append(f"{_decimal(abs(surplus))} {name} too {'many' if surplus > 0 else 'few'}")
    return (
        f"parent and child differ in composition: parent {formula(parent)}, child {formula(child)}. Per formula unit "
        f"{formula(unit)} of the parent the child has {', '.join(found)}. A distortion moves atoms and adds none: "
        "check the two files (species, occupancies, missing hydrogen)"
    )


def formula(counts: dict[str, int]) -> str:
    """Write a composition with the smallest whole numbers, in the order given, as in ``La Mn O3``."""
    divisor = gcd(*counts.values())
    return " ".join(f"{name}{count // divisor if count != divisor else ''}" for name, count in counts.items())


def _decimal(value: Fraction) -> str:
    return f"{float(value):.3f}".rstrip("0").rstrip(".")
