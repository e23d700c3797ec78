"""Standard uncertainties as CIFs give them, in brackets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from orderparam.errors import InvalidInputError

_COORDINATES = tuple(f"_atom_site_fract_{axis}" for axis in "xyz")
_CELL = tuple(f"_cell_length_{axis}" for axis in "abc") + tuple(
    f"_cell_angle_{angle}" for angle in ("alpha", "beta", "gamma")
)


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


def uncertainties_of(blocks: Sequence[Mapping[str, Any]], where: str) -> Uncertainties | None:
    """Return the standard uncertainties in the first block of a CIF that has coordinates, None if it gives none.

    Parameters
    ----------
    blocks : sequence of mapping
        Data names to a value or a list of values, as text.
    where : str
        The file, for errors.
    """
    data = next((block for block in blocks if all(name in block for name in _COORDINATES)), None)
    if data is None:
        return None
    columns = [data[name] if isinstance(data[name], list) else [data[name]] for name in _COORDINATES]
    values = np.array(
        [[number_with_uncertainty(entry, f"{where}: {name}") for entry in column]
         for name, column in zip(_COORDINATES, columns, strict=True)]
    )  # fmt: skip
    cell = np.array([number_with_uncertainty(str(data.get(name) or "0"), f"{where}: {name}")[1] for name in _CELL])
    sigmas = values[:, :, 1].T
    return Uncertainties(values[:, :, 0].T, sigmas, cell) if sigmas.any() or cell.any() else None


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
    scale = 10.0 ** int(exponent[1:]) if exponent else 1.0
    decimals = len(number.partition(".")[2])
    sigma = float(bracket or 0) * (1.0 if bracket and "." in bracket else 10.0**-decimals)
    return float(number) * scale, float(f"{sigma * scale:.12g}")
