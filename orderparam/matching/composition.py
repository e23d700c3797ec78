"""Compare what parent and child are made of, before any geometry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import gcd

from orderparam.crystals.mixtures import is_mixed, occupancies, site_formula
from orderparam.errors import MatchingError
from orderparam.wording import counted

SLIGHT = 0.1
"""Occupancies of a mixed site that differ by at most this are the same mixture, with a warning."""


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
                    f"{site_formula(kind)} of the child is taken for {site_formula(other)} of the parent: occupancies "
                    f"differ by up to {gap:.3g}"
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
            f"the child's primitive cell should hold a whole multiple of the parent's "
            f"{counted(n_parent, 'atom')}, but holds {n_child} ({ratio} times as many): "
            f"this parent cannot be distorted into this child; a parent of higher "
            "symmetry with a smaller cell may exist"
        )
    return int(ratio)


def _describe_difference(parent: Counter[str], child: Counter[str]) -> str:
    """Say which atoms are too many or too few, per formula unit of the parent, or what is ordered on fewer sites."""
    n_units = gcd(*parent.values())
    unit = {name: count // n_units for name, count in parent.items()}
    # measure by the number of formula units that most species agree on; in doubt, by the rarest species
    votes = Counter(
        Fraction(child[name], unit[name]) for name in sorted(unit, key=lambda s: (unit[s], s)) if child[name]
    )
    n_child_units = votes.most_common(1)[0][0] if votes else Fraction(1)
    surplus = {
        name: child[name] / n_child_units - unit.get(name, 0)
        for name in [*unit, *(extra for extra in child if extra not in unit)]
    }
    surplus = {name: value for name, value in surplus.items() if value}
    if told := _describe_ordering(unit, {name: count / n_child_units for name, count in child.items()}, surplus):
        return told
    found = [
        f"{_decimal(abs(value))} {site_formula(name)} too {'many' if value > 0 else 'few'}"
        for name, value in surplus.items()
    ]
    shared = any(name not in surplus for name in unit)
    hint = f"; --ignore {','.join(surplus)} compares the rest" if shared else ""
    return (
        f"parent and child differ in composition: parent {formula(parent)}, child {formula(child)}. Per formula unit "
        f"{formula(unit)} of the parent the child has {', '.join(found)}. A distortion moves atoms and adds none: "
        f"check the two files (species, occupancies, missing hydrogen){hint}"
    )


def _describe_ordering(
    parent: Mapping[str, Fraction | int], child: Mapping[str, Fraction | int], surplus: Mapping[str, Fraction]
) -> str | None:
    """Say that one of the two holds apart what the other mixes on one site; None where that is not what differs.

    Parameters
    ----------
    parent, child : dict
        Sites of every species, per formula unit of the parent.
    surplus : dict
        Their differences, none of them zero.
    """
    if ordered := _ordered(parent, child):
        mixture, parts = ordered
        held = ", ".join(map(site_formula, parts)) + (" and vacancies" if len(parts) == 1 else "")
        rest = {name: value for name, value in surplus.items() if name != mixture and name not in parts}
        return (
            f"the child orders what the parent mixes: {held} in place of {site_formula(mixture)}. That is an "
            "occupational order parameter, and such fields are not analysed yet. For the displacements alone write the "
            f"mixture {site_formula(mixture)} on these sites of the child's file{_what_else(rest)}"
        )
    if ordered := _ordered(child, parent):
        mixture, parts = ordered
        return (
            f"the child mixes what the parent orders: {site_formula(mixture)} in place of "
            f"{', '.join(map(site_formula, parts))}, and breaking symmetry mixes nothing: did you swap the files? For "
            "the displacements alone write the mixture on these sites of the parent's file"
        )
    return None


def _ordered(
    mixing: Mapping[str, Fraction | int], ordered: Mapping[str, Fraction | int]
) -> tuple[str, list[str]] | None:
    """Return a mixture that only the first composition has, and the species of the second that share out its elements.

    The second must hold as much of every element, within `SLIGHT` per site of the mixture, on several kinds of site, or
    on fewer sites where these are vacant in part.
    """
    for mixture in sorted(filter(is_mixed, set(mixing) - set(ordered))):
        elements = set(occupancies(mixture))
        parts, before = ([name for name in one if set(occupancies(name)) <= elements] for one in (ordered, mixing))
        as_much = all(
            abs(_amount(element, mixing) - _amount(element, ordered)) <= SLIGHT * mixing[mixture]
            for element in elements
        )
        shared_out = len(parts) > 1 or sum(ordered[name] for name in parts) < sum(mixing[name] for name in before)
        if as_much and shared_out and elements == {element for name in parts for element in occupancies(name)}:
            return mixture, sorted(parts)
    return None


def _amount(element: str, composition: Mapping[str, Fraction | int]) -> float:
    return sum(float(count) * occupancies(name).get(element, 0.0) for name, count in composition.items())


def _what_else(rest: Mapping[str, Fraction]) -> str:
    """Say what differs beside an ordering; an element that stands for another can be renamed."""
    few, many = ([name for name, value in rest.items() if sign * value > 0] for sign in (-1, 1))
    if len(few) == len(many) == 1 and rest[few[0]] == -rest[many[0]]:
        return f"; --map {few[0]}={many[0]} renames what differs besides"
    return f"; {', '.join(map(site_formula, rest))} differ besides" if rest else ""


def formula(counts: Mapping[str, int]) -> str:
    """Write a composition with the smallest whole numbers, in the order given, as in ``La Mn O3``."""
    divisor = gcd(*counts.values())
    return " ".join(site_formula(name, count // divisor) for name, count in counts.items())


def _decimal(value: Fraction) -> str:
    return f"{float(value):.3f}".rstrip("0").rstrip(".")
