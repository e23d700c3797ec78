"""Which space group a symbol means: those of every tabulated setting, and those of older tables.

A symbol names the type of a space group; the setting that it stands for (axes, cell choice, origin) is not kept.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from .spacegroup import Setting, tabulated_settings

_ORIGIN_LETTERS = {"1": "s", "2": "z", "h": "h", "r": "r"}
"""What stands at the end of a symbol in a CIF: origin choice 1 or 2, hexagonal or rhombohedral axes."""


def find_group(text: str) -> int | None:
    """Return the number of a space group given as a number or a Hermann-Mauguin symbol, None where it is neither.

    Known are the short and the full symbols of all 530 settings (``Pnma``, ``Pbnm``, ``P 1 21/c 1``, ``I2/c``) and of
    centred triclinic cells, with the choice of origin, axes or cell behind (``R-3c:R``, ``Fd-3m:2``, ``F d -3 m Z``),
    the names that the e-glides and the cubic groups m-3 and m-3m had before (``Cmca``, ``Bmab``, ``Pm3m``). Case,
    blanks, ``_`` and the brackets of ``P2(1)/c`` do not matter.

    References
    ----------
    Settings: International Tables for Crystallography A, table 4.3.2.1 (5th edition). Double glide planes e: de Wolff
    et al., Acta Cryst. A48, 727 (1992).

    Examples
    --------
    >>> find_group("Pbnm"), find_group("Cmca"), find_group("R-3c:R"), find_group("Pm3m"), find_group("194")
    (62, 64, 167, 221, 194)
    >>> find_group("Pxyz") is None
    True
    """
    if re.fullmatch(r"\s*[0-9]{1,3}\s*", text):
        return int(text) if 1 <= int(text) <= 230 else None
    return _numbers().get(_plain(text))


def _plain(symbol: str) -> str:
    return re.sub(r"[\s_()]", "", symbol).lower()


@functools.cache
def _numbers() -> dict[str, int]:
    """Return the number that every known symbol stands for; none stands for two."""
    found: dict[str, int] = {}
    for setting in tabulated_settings():
        for symbol in _spellings(setting):
            name = _plain(symbol)
            if found.setdefault(name, setting.number) != setting.number:
                raise AssertionError(f"{symbol} would stand for {found[name]} and {setting.number}")
    return found


def _spellings(setting: Setting) -> Iterator[str]:
    """Yield everything that one setting is called."""
    choice = setting.choice.lower()
    behind = {f":{choice}", f":{choice[:1]}" if choice[:1].isdigit() else "", _ORIGIN_LETTERS.get(choice, "")}
    for symbol in setting.symbols:
        for name in (symbol, *_other_cells(setting, symbol)):
            for spelt in _older(setting.number, name):
                yield spelt
                yield from (spelt + end for end in behind if choice)


def _other_cells(setting: Setting, symbol: str) -> list[str]:
    """Return the short symbol of a monoclinic setting from its full one: I 1 2/c 1 is I2/c; centred triclinic cells."""
    if setting.number <= 2:
        return [symbol.replace("P", letter) for letter in "ABCFI"]
    return [symbol.replace(" 1", "")] if setting.number <= 15 else []


def _older(number: int, symbol: str) -> list[str]:
    """Return a symbol with what it was before: a double glide plane e by one of its two glides, -3 as 3 in m-3m."""
    if 200 <= number <= 206 or number >= 221:
        return [symbol, symbol.replace("-3", "3")]
    parts = symbol.split()
    axis = next((i for i, part in enumerate(parts[1:]) if "e" in part), None)
    if axis is None:
        return [symbol]
    glides = "abc".replace("abc"[axis], "")  # the plane is normal to this axis
    return [symbol, *(" ".join(parts).replace("e", glide) for glide in glides)]
