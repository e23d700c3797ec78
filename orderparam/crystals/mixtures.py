"""Species as text: what a site holds, and how people write it."""

from __future__ import annotations

import re
from collections.abc import Mapping

VACANCY = "□"
"""The sign of a vacancy in a formula (IUPAC, Nomenclature of Inorganic Chemistry 2005, IR-11.4.2)."""

FULL = 1e-3
"""A site whose occupancies sum to one within this has no vacancies: files round 1/3 to three or four digits."""


def occupancies(species: str) -> dict[str, float]:
    """Return the occupancies of a species.

    Examples
    --------
    >>> occupancies("Ca0.5Sr0.5"), occupancies("O")
    ({'Ca': 0.5, 'Sr': 0.5}, {'O': 1.0})
    """
    return {symbol: float(amount or 1) for symbol, amount in re.findall(r"([A-Z][a-z]?)([\d.]*)", species)}


def species_text(amounts: Mapping[str, float]) -> str:
    """Return the species of a site: one element where the site is full, else the mixture, elements in their order.

    Amounts up to `FULL` are none.

    Examples
    --------
    >>> species_text({"O": 1.0}), species_text({"Sr": 0.5, "Ca": 0.5}), species_text({"Fe": 0.12345})
    ('O', 'Ca0.5Sr0.5', 'Fe0.1235')
    """
    held = {element: amount for element, amount in amounts.items() if amount > FULL}
    if len(held) == 1 and abs(sum(held.values()) - 1) < FULL:
        return next(iter(held))
    return "".join(f"{element}{f'{held[element]:.4f}'.rstrip('0').rstrip('.')}" for element in sorted(held))


def is_mixed(species: str) -> bool:
    """Return whether a site of this species holds several elements or is partly empty."""
    return re.fullmatch(r"[A-Z][a-z]?", species) is None


def site_formula(species: str, count: int = 1) -> str:
    """Write so many sites of a species in a formula: mixtures stand in brackets, and vacancies have a sign.

    Examples
    --------
    >>> site_formula("O", 3), site_formula("Al0.25Si0.75", 4), site_formula("Sr0.9")
    ('O3', '(Al0.25Si0.75)4', '(Sr0.9□0.1)')
    """
    shown = species
    if is_mixed(species):
        empty = 1 - sum(occupancies(species).values())
        shown = f"({species}{f'{VACANCY}{empty:.3g}' if empty > FULL else ''})"
    return f"{shown}{count if count > 1 else ''}"
