"""Magnetic moments in files: they are left out, and it is said whose."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from orderparam.wording import counted

if TYPE_CHECKING:
    from pymatgen.core import PeriodicSite, Structure

SMALLEST_MOMENT = 0.01
"""Moments up to this (Bohr magnetons) are those of an atom without one, as calculations leave them."""

NAMED = 6
"""So many sites are named."""

_PROPERTIES = ("magmom", "final_magmom", "magmoms", "initial_magmoms")


LEFT_OUT = "are left out: what follows is about the atoms alone"


def moments_left_out(labels: Iterable[str]) -> tuple[str, ...]:
    """Return the note that the moments of some sites are left out; none where there are no such sites.

    Examples
    --------
    >>> moments_left_out(["Mn1"])
    ('magnetic moments (on Mn1) are left out: what follows is about the atoms alone',)
    """
    names = list(dict.fromkeys(labels))
    if not names:
        return ()
    more = f" and {counted(len(names) - NAMED, 'other site')}" if len(names) > NAMED else ""
    return (f"magnetic moments (on {', '.join(names[:NAMED])}{more}) {LEFT_OUT}",)


def stated_moments_left_out(keyword: str, moments: Any = np.inf) -> tuple[str, ...]:
    """Return the same note for a file that states moments by a keyword, not by sites; none where all are small.

    Examples
    --------
    >>> stated_moments_left_out("MAGMOM", [0.0, 3.0])
    ('magnetic moments (MAGMOM) are left out: what follows is about the atoms alone',)
    >>> stated_moments_left_out("MAGMOM", [0.0, 0.01])
    ()
    """
    largest = np.abs(np.asarray(moments, float)).max(initial=0.0)
    return (f"magnetic moments ({keyword}) {LEFT_OUT}",) if largest > SMALLEST_MOMENT else ()


def labels_with_moments(labels: Iterable[str], moments: Iterable[Any]) -> list[str]:
    """Return the labels of the sites whose moment, a number, a vector or None, is not small."""
    return [label for label, moment in zip(labels, moments, strict=True) if _size(moment) > SMALLEST_MOMENT]


def sites_with_moments(structure: Structure) -> list[str]:
    """Return the labels of the sites of a pymatgen structure that have a moment, as property or as spin."""
    return [
        _name(site)
        for site in structure
        if any(_size(site.properties.get(name)) > SMALLEST_MOMENT for name in _PROPERTIES)
        or any(_size(getattr(specie, "spin", None)) > SMALLEST_MOMENT for specie in site.species)
    ]


def _name(site: PeriodicSite) -> str:
    """Return the label of a site; its elements where pymatgen made up a label with charges and spins in it."""
    label = str(site.label)
    return label if "," not in label and ":" not in label else "-".join(e.symbol for e in site.species.elements)


def _size(moment: Any) -> float:
    """Return the length of a moment: a number, a vector, or pymatgen's Magmom; zero for none."""
    if moment is None:
        return 0.0
    return float(np.linalg.norm(np.asarray(getattr(moment, "moment", moment), float)))
