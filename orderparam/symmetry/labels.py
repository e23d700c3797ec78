"""Names of space-group irreps: Miller-Love letters as the ISOTROPY software prints them.

A label is the name of the k vector (GM, X, DT, GP ...), a number, and a sign where inversion decides one: ``R4+``. A
physically irreducible representation that joins two complex ones carries both names: ``R1-R3-``. Where -k lies outside
the star of k the table holds only one of the two stars; the other has letters of its own: ``P1PA1``, ``LD1LE1``,
``GP1GQ1``. A pseudo-real irrep appears twice in its real form, and so does its name: ``R1R1``.

References
----------
S. C. Miller and W. F. Love, Tables of Irreducible Representations of Space Groups (Pruett, 1967); A. P. Cracknell,
B. L. Davies, S. C. Miller and W. F. Love, Kronecker Product Tables 1 (Plenum, 1979). The letters of the -k partners are
those of the ISOTROPY software suite (https://iso.byu.edu) as CrystOD 0.4.5 records them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from orderparam.errors import InvalidInputError

_PART = re.compile(r"([A-Z]+)(\d+[+-]?)")
_PARTNER_LETTERS = {"LD": "LE", "DT": "DU", "SM": "SN", "GP": "GQ"}
_TRIGONAL = {letter: letter + "C" for letter in "PBCDE"}
_PARTNER_EXCEPTIONS = {
    143: _TRIGONAL,
    144: _TRIGONAL,
    145: _TRIGONAL,
    156: {"D": "DC"},
    157: {"P": "PC", "C": "CC"},
    158: {"D": "DC"},
    159: {"P": "PC", "C": "CC"},
    174: {"B": "BC", "E": "EC"},
}


def split_label(label: str) -> tuple[str, ...]:
    """Return the complex irreps that a label names.

    Raises
    ------
    InvalidInputError
        If the text is not a label.

    Examples
    --------
    >>> split_label("R1-R3-"), split_label("GM4-")
    (('R1-', 'R3-'), ('GM4-',))
    """
    parts = tuple(letters + number for letters, number in _PART.findall(label))
    if not parts or "".join(parts) != label:
        raise InvalidInputError(f"{label!r} is not an irrep label; expected one such as R4+, GM4- or R1-R3-")
    return parts


def k_letters(label: str) -> str:
    """Return the name of the k vector in a label, the first one of a joined label.

    Examples
    --------
    >>> k_letters("SM2"), k_letters("P1PA1")
    ('SM', 'P')
    """
    return re.sub(r"\d.*", "", split_label(label)[0])


def partner_label(number: int, label: str) -> str:
    """Name the complex conjugate of an irrep whose -k lies outside its star.

    Parameters
    ----------
    number : int
        Space-group number: some trigonal groups have letters of their own.
    label : str
        Tabulated label of one complex irrep.

    Examples
    --------
    >>> partner_label(82, "P1"), partner_label(75, "LD3"), partner_label(143, "P1")
    ('PA1', 'LE3', 'PC1')
    """
    letters = k_letters(label)
    partner = _PARTNER_EXCEPTIONS.get(number, {}).get(letters) or _PARTNER_LETTERS.get(letters, letters + "A")
    return partner + label[len(letters) :]


def format_k(k: Sequence[Fraction]) -> str:
    """Write a k vector as fractions.

    Examples
    --------
    >>> format_k((Fraction(1, 2), Fraction(0), Fraction(-1, 3)))
    '(1/2,0,-1/3)'
    """
    return "(" + ",".join(str(Fraction(component)) for component in k) + ")"
