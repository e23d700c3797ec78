"""Standard uncertainties as CIFs give them, in brackets."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from orderparam.errors import InvalidInputError


@dataclass(frozen=True, eq=False)
class Uncertainties:
    """Standard uncertainties that a CIF gives in brackets.

    Attributes
    ----------
    positions, sigmas : (m, 3)
        Fractional coordinates of the atoms listed, and their standard uncertainties, zero where none is given.
    cell : (6,)
        Of a, b, c (angstrom), alpha, beta, gamma (degrees).
    """

    positions: np.ndarray
    sigmas: np.ndarray
    cell: np.ndarray


def number_with_uncertainty(text: str, where: str = "") -> tuple[float, float]:
    """Return a number and its standard uncertainty as CIF writes them: ``0.1234(5)`` is 0.1234 with 0.0005.

    An exponent stands before the bracket, ``1.5e-1(2)``: after it, some readers drop it.

    Raises
    ------
    InvalidInputError
        When the text is no such number, or says that the number is unknown.

    Examples
    --------
    >>> number_with_uncertainty("0.1234(15)")
    (0.1234, 0.0015)
    >>> number_with_uncertainty("90")
    (90.0, 0.0)
    """
    found = re.fullmatch(r"\s*([-+]?(?:\d+\.?\d*|\.\d+))([eE][-+]?\d+)?(?:\((\d+(?:\.\d+)?)\))?\s*", text)
    if found is None:
        raise InvalidInputError(f"{where}: expected a number such as 0.1234(5), received {text!r}; repair the file")
    number, exponent, bracket = found.groups()
    power = int(exponent[1:]) if exponent else 0
    if abs(power) > 100:
        raise InvalidInputError(f"{where}: expected a number of a cell or an atom, received {text!r}; repair the file")
    scale = 10.0**power
    decimals = len(number.partition(".")[2])
    sigma = float(bracket or 0) * (1.0 if bracket and "." in bracket else 10.0**-decimals)
    return float(number) * scale, float(f"{sigma * scale:.12g}")
