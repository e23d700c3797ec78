"""Which element a site of a CIF holds."""

from __future__ import annotations

import re

from orderparam.crystals.elements import elements
from orderparam.errors import InvalidInputError

NO_ELEMENTS = {"unk", "dum", "uani", "uiso"}
"""Names that begin like an element and are none."""

VACANCY = "vacancy"
VACANCIES = {"va", "vac", "vacancy", "\N{WHITE SQUARE}"}
"""What people write for an empty site."""


WATER = {"wat": "O", "water": "O", "ow": "O", "hw": "H", "hoh": "O"}
"""Names of the atoms of water molecules; a whole molecule is where its oxygen is."""


def element_of(type_symbol: str | None, label: str | None, formula: frozenset[str]) -> tuple[str | None, str | None]:
    """Return the element of a site, None for a vacancy, and a note where its name leaves room for doubt.

    Parameters
    ----------
    type_symbol, label : str or None
        ``Fe3+``, ``D``, ``CL``; the label serves where there is no type: ``Fe1``, ``O(A1)``, ``CaM2``, ``Wat1``.
    formula : frozenset of str
        Elements of the stated formula, which decide between two readings (``CA1``: carbon or calcium).

    Raises
    ------
    InvalidInputError
        When neither names an element.
    """
    found = _named(type_symbol, {"D": "H", "T": "H"})
    if found and found[0] == VACANCY:
        return (found[1], None) if len(found) > 1 and found[1] in formula else (None, None)
    if found:
        return found[0], None
    found = _named(label, {"D": "H"})
    if found and found[0] == VACANCY:
        return (found[1], None) if len(found) > 1 and found[1] in formula else (None, None)
    if not found:
        raise InvalidInputError(
            f"site {label or type_symbol!r}: no element known by this name; expected a type symbol such as Fe or Fe3+"
        )
    if len(named := [symbol for symbol in found if symbol in formula]) == 1:
        return named[0], None
    if len(found) > 1:
        return found[0], f"site {label} is read as {found[0]}, not {found[1]}"
    doubtful = formula and found[0] not in formula
    return found[0], f"site {label} is read as {found[0]}, which the stated formula does not have" if doubtful else None


def _named(text: str | None, isotopes: dict[str, str]) -> list[str]:
    """Return the elements that a name can mean: of two letters before one; a vacancy first where it may be one."""
    letters = re.match(r"[0-9]*([^\W\d_]+|\N{WHITE SQUARE})", text or "")
    if letters is None or text is None:
        return []
    name, rest = letters[1], text[letters.end() :]
    if re.match(r"H2O", text, re.IGNORECASE) or name.lower() in WATER:
        return [WATER.get(name.lower(), "O")]
    if name.lower() in VACANCIES:
        return [VACANCY, *(["V"] if name.lower().startswith("v") else [])]
    two = re.match(r"[,/][A-Z][a-z]?", rest) or re.match(r"[A-Z][a-z][A-Z][a-z]$", name)
    if two or name.lower() in NO_ELEMENTS:
        return []
    found = []
    for length in (2, 1):
        symbol = name[:length].capitalize()
        symbol = isotopes.get(symbol, symbol) if length == 1 or len(name) == 1 else symbol
        if len(name) >= length and symbol in elements() and symbol not in found:
            found.append(symbol)
    if len(found) == 2 and name[1].islower():
        return found[:1]  # Ca is calcium; CA may be carbon
    return found


def elements_of_sum(text: str | None) -> dict[str, float]:
    """Return the amounts of a formula with one element a word, in any case, as ``_chemical_formula_sum`` holds it.

    Examples
    --------
    >>> elements_of_sum("FE2 O3"), elements_of_sum("CaCO3")
    ({'Fe': 2.0, 'O': 3.0}, {'Ca': 1.0, 'C': 1.0, 'O': 3.0})
    """
    words = (text or "").split()
    if (
        len(words) > 1
        and all(re.fullmatch(r"[A-Za-z]{1,2}[\d.]*", word) for word in words)
        and not re.search("[a-z]", text or "")
    ):
        text = " ".join(word.capitalize() for word in words)
    return elements_of_formula(text)


def elements_of_formula(text: str | None) -> dict[str, float]:
    """Return the amounts of a formula such as ``'Ca Mg Si2 O6'``, empty where it is none that can be read.

    Examples
    --------
    >>> elements_of_formula("Al2 O3"), elements_of_formula("H D O"), elements_of_formula("K NO3")
    ({'Al': 2.0, 'O': 3.0}, {'H': 2.0, 'O': 1.0}, {'K': 1.0, 'N': 1.0, 'O': 3.0})
    """
    amounts: dict[str, float] = {}
    text = (text or "").strip()
    if not re.fullmatch(r"(?:[A-Z][a-z]?(?:\d+\.?\d*|\.\d+)?\s*)+", text):
        return {}
    for symbol, amount in re.findall(r"([A-Z][a-z]?)(\d+\.?\d*|\.\d+)?", text):
        element = {"D": "H", "T": "H"}.get(symbol, symbol)
        if element not in elements():
            return {}
        amounts[element] = amounts.get(element, 0.0) + float(amount or 1)
    return {element: amount for element, amount in amounts.items() if amount > 0}
