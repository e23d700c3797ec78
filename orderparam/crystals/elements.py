"""What is known of the elements: ``data/elements.json``."""

from __future__ import annotations

import functools
import json
import re
from importlib.resources import files


@functools.cache
def _table() -> dict[str, tuple[str, float, float | None]]:
    """Return colour, covalent radius (angstrom) and electronegativity (Pauling) by symbol, from H to Og."""
    return json.loads((files("orderparam") / "data/elements.json").read_text(encoding="utf-8"))


def elements() -> frozenset[str]:
    """Return the symbols of the elements."""
    return frozenset(_table())


def element_of_number(number: int) -> str | None:
    """Return the element of an atomic number; None where there is none.

    Examples
    --------
    >>> element_of_number(1), element_of_number(118), element_of_number(0), element_of_number(119)
    ('H', 'Og', None, None)
    """
    return list(_table())[number - 1] if 1 <= number <= len(_table()) else None


def electronegativity(species: str) -> float:
    """Return the electronegativity (Pauling) of an element, the mean over a mixture; 0 where none is known.

    Examples
    --------
    >>> electronegativity("O"), round(electronegativity("Ca0.5Sr0.5"), 3)
    (3.44, 0.975)
    """
    parts = [(kind, float(amount or 1)) for kind, amount in re.findall(r"([A-Z][a-z]?)([\d.]*)", species)]
    known = [((_table().get(kind) or ("", 0.0, None))[2] or 0.0, amount) for kind, amount in parts]
    return sum(value * amount for value, amount in known) / (sum(amount for _, amount in known) or 1.0)
