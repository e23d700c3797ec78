"""Which element a site of a CIF holds."""

from __future__ import annotations

import re

from orderparam.crystals.elements import elements
from orderparam.errors import InvalidInputError

VACANCIES = {"va", "vac", "vacancy", "\N{WHITE SQUARE}"}
"""What people write for an empty site."""


def element_of(type_symbol: str | None, label: str | None, formula: frozenset[str]) -> tuple[str | None, str | None]:
    """Return the element of a site, None for a vacancy, and a note where its name leaves room for doubt.

    Parameters
    ----------
    type_symbol, label : str or None
        ``Fe3+``, ``D``, ``CL``; the label serves where there is no type: ``Fe1``, ``O(A1)``, ``CaM2``.
    formula : frozenset of str
        Elements of the stated formula, which decide between two readings (``CA1``: carbon or calcium).

    Raises
    ------
    InvalidInputError
        When neither names an element.
    """
    for text in (type_symbol, label):
        if text is None:
            continue
        letters = re.match(r"[0-9]*([^\W\d_]+|\N{WHITE SQUARE})", text)
        if letters is None:
            continue
        if letters[1].lower() in VACANCIES and "V" not in formula:
            return None, None
        candidates = _candidates(letters[1])
        if len(candidates) == 1 or (text is type_symbol and candidates):
            return candidates[0], None
        named = [symbol for symbol in candidates if symbol in formula]
        if len(named) == 1:
            return named[0], None
        if candidates:
            return candidates[0], f"site {text} is read as {candidates[0]}, not {candidates[1]}"
    raise InvalidInputError(
        f"site {label or type_symbol!r}: no element known by this name; expected a type symbol such as Fe or Fe3+"
    )


def _candidates(letters: str) -> list[str]:
    """Return the elements that a name can begin with: two letters before one."""
    found = []
    for length in (2, 1):
        symbol = letters[:length].capitalize()
        symbol = {"D": "H", "T": "H"}.get(symbol, symbol)
        if len(letters) >= length and symbol in elements() and symbol not in found:
            found.append(symbol)
    if len(found) == 2 and letters[1].islower():
        return found[:1]  # Ca is calcium; CA may be carbon
    return found


def elements_of_formula(text: str | None) -> dict[str, float]:
    """Return the amounts of a formula such as ``'Ca Mg Si2 O6'``, empty where it is none that can be read.

    Examples
    --------
    >>> elements_of_formula("Al2 O3"), elements_of_formula("H D O")
    ({'Al': 2.0, 'O': 3.0}, {'H': 2.0, 'O': 1.0})
    """
    amounts: dict[str, float] = {}
    text = (text or "").strip()
    words = text.split()
    if len(words) > 1 and all(re.fullmatch(r"[A-Za-z]{1,2}[\d.]*", word) for word in words):
        text = "".join(word[: len(word.rstrip("0123456789."))].capitalize() + word.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                       "abcdefghijklmnopqrstuvwxyz") for word in words)  # fmt: skip
    if not re.fullmatch(r"(?:[A-Z][a-z]?(?:\d+\.?\d*|\.\d+)?\s*)+", text):
        return {}
    for symbol, amount in re.findall(r"([A-Z][a-z]?)(\d+\.?\d*|\.\d+)?", text):
        element = {"D": "H", "T": "H"}.get(symbol, symbol)
        if element not in elements():
            return {}
        amounts[element] = amounts.get(element, 0.0) + float(amount or 1)
    return {element: amount for element, amount in amounts.items() if amount > 0}
