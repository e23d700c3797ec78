"""The tabulated settings of the space groups, and which of them a symbol means.

Read from ``data/settings.json``: the 530 settings of International Tables with their Hall symbols as spglib prints
them, and 26 more that files use (centred triclinic cells, C and F cells of tetragonal groups ...).

References
----------
International Tables for Crystallography A (5th edition), table 4.3.2.1.
Hall symbols: Hall, Acta Cryst. A37, 517 (1981).
Double glide planes e: de Wolff et al., Acta Cryst. A48, 727 (1992).
"""

from __future__ import annotations

import difflib
import functools
import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from itertools import chain

_ORIGIN_LETTERS = {"1": ("s",), "2": ("z",), "h": ("h", "hr"), "r": ("r", "hr")}
"""What ICSD writes behind a symbol: origin choice 1 or 2, hexagonal or rhombohedral axes of a rhombohedral lattice."""


_WORDS_BEHIND = re.compile(
    r"(?P<symbol>.*?)\s*,?\s*(?P<words>[(\[]?\s*"
    r"(?:origin choice\s*[12]|unique axis\s*[abc]|hexagonal axes|rhombohedral axes)"
    r"(?:\s*,\s*cell choice\s*[123])?\s*[)\]]?)?\s*$",
    re.IGNORECASE,
)
"""What some programs write behind a symbol in words."""


@dataclass(frozen=True)
class Setting:
    """One tabulated choice of axes, cell and origin of a space group.

    Attributes
    ----------
    number : int
        Of the space-group type, 1 to 230.
    choice : str
        Origin (``1``, ``2``), axes (``H``, ``R``, ``b1``, ``-c2``, ``cab`` ...), empty where there is one alone.
    hall : str
        Hall symbol, which names the operations without doubt.
    symbols : tuple of str
        Hermann-Mauguin symbols, the full one first.
    """

    number: int
    choice: str
    hall: str
    symbols: tuple[str, ...]

    @property
    def name(self) -> str:
        """A symbol that means this setting alone, with origin or axes behind: ``F d -3 m:2``; else the Hall symbol."""
        symbol = self.symbols[0] if self.number <= 15 else min(self.symbols, key=len)
        for name in (symbol, *self.symbols, f"{symbol}:{self.choice}"):
            if find_settings(name) == (self,):
                return name
        return self.hall

    @property
    def is_standard(self) -> bool:
        """Whether the axes are those of the standard setting, for either origin and either axes of R lattices."""
        return self.choice in {"", "b", "b1", "1", "2", "H", "R"} and bool(self.choice or self == _first(self.number))


@functools.cache
def all_settings() -> tuple[Setting, ...]:
    """Return every known setting, the 530 tabulated ones first, in their order."""
    rows = json.loads((files("orderparam") / "data/settings.json").read_text(encoding="utf-8"))
    return tuple(Setting(number, choice, hall, tuple(symbols)) for number, choice, hall, symbols in rows)


def settings_of(number: int) -> tuple[Setting, ...]:
    """Return the settings of a space-group type, the standard one among the first."""
    return tuple(setting for setting in all_settings() if setting.number == number)


def find_settings(text: str) -> tuple[Setting, ...]:
    """Return every setting that a Hermann-Mauguin symbol can mean, none where it is no symbol.

    Known are short and full symbols, in any case, with blanks, ``_``, brackets, ``~`` and subscripts or without, the
    short ones of monoclinic settings (``I 2/a``), with the choice of origin, axes or cell behind (``R-3c:R``,
    ``Fd-3m:2``, ``F d -3 m Z``, ``P 1 21/c 1 :b1``), and the names that e-glides and the cubic groups m-3 and m-3m had
    before (``Cmca``, ``Bmab``, ``Pm3m``); rhombohedral groups also by ``H`` in place of ``R``.

    Examples
    --------
    >>> [setting.choice for setting in find_settings("Fd-3m")], [s.choice for s in find_settings("F d 3 m S")]
    (['1', '2'], ['1'])
    >>> [setting.hall for setting in find_settings("P 21/n")]
    ['-P 2yn', '-P 2n', '-P 2xn']
    """
    words, choice = _WORDS_BEHIND.match(text), ""
    if words and words["words"]:
        text, choice = words["symbol"], _choice_of(words["words"])
        if choice in {"1", "2", "h", "r"}:
            text = f"{text}:{choice}"
    found = _spelt().get(_plain(text), ())
    if not found and text.rstrip().endswith(":1"):  # the only origin
        found = _spelt().get(_plain(text.rstrip()[:-2]), ())
    if choice in {"a", "b", "c"}:
        found = tuple(setting for setting in found if setting.choice.lstrip("-")[:1] == choice)
    return found


def _choice_of(words: str) -> str:
    """Return the choice that words such as ``(origin choice 2)`` or ``, unique axis b`` name."""
    if origin := re.search(r"choice\s*([12])", words):
        return origin[1]
    if axis := re.search(r"axis\s*([abc])", words):
        return axis[1]
    return words.strip(" ,([").lower()[:1]


def find_group(text: str) -> int | None:
    """Return the number of a space group given as a number or a Hermann-Mauguin symbol, None where it is neither.

    Examples
    --------
    >>> find_group("Pbnm"), find_group("Cmca"), find_group("R-3c:R"), find_group("Pm3m"), find_group("194")
    (62, 64, 167, 221, 194)
    >>> find_group("Pxyz") is None
    True
    """
    if re.fullmatch(r"\s*[0-9]{1,3}\s*", text):
        return int(text) if 1 <= int(text) <= 230 else None
    found = find_settings(text)
    return found[0].number if found else None


def nearest_symbols(text: str, n: int = 3) -> list[str]:
    """Return the known symbols most like a text that is none."""
    shown = {_plain(symbol): symbol for setting in all_settings() for symbol in reversed(setting.symbols)}
    return [shown[name] for name in difflib.get_close_matches(_plain(text), shown, n=n, cutoff=0.5)]


def _plain(symbol: str) -> str:
    text = unicodedata.normalize("NFKD", symbol).lower().replace("\N{MINUS SIGN}", "-").replace("\N{EN DASH}", "-")
    text = re.sub(r"</?su[bp]>|[\s_()~'\"$\\{}]", "", text)
    return re.sub("([1-6])(?:\N{COMBINING OVERLINE}|\N{COMBINING MACRON}|bar)", r"-\1", text)


@functools.cache
def _spelt() -> dict[str, tuple[Setting, ...]]:
    """Return the settings that every known name stands for; no name stands for settings of two types."""
    found: defaultdict[str, dict[Setting, None]] = defaultdict(dict)
    for setting in all_settings():
        for symbol in setting.symbols:
            for name in (symbol, *_short(setting, symbol)):
                for spelt in _with_choice(setting, name):
                    found[_plain(spelt)][setting] = None
    exact = set(found)
    for setting in all_settings():
        for symbol in setting.symbols:
            for spelt in chain.from_iterable(_with_choice(setting, name) for name in _older(setting.number, symbol)):
                if _plain(spelt) not in exact:
                    found[_plain(spelt)][setting] = None
    for name, settings in found.items():
        if len({setting.number for setting in settings}) > 1:
            raise AssertionError(f"{name} would stand for {[setting.number for setting in settings]}")
    return {name: tuple(settings) for name, settings in found.items()}


def _with_choice(setting: Setting, symbol: str) -> Iterator[str]:
    """Yield a symbol alone and with the choice of axes, cell or origin behind it, in every way that is written."""
    choice = setting.choice.lower()
    yield symbol
    if choice:
        ends = {f":{choice}", f":{choice[:1]}" if choice[:1].isdigit() else "", *_letters(choice)}
        yield from (symbol + end for end in ends)
    if choice == "h":
        yield re.sub("^R", "H", symbol)


def _letters(choice: str) -> tuple[str, ...]:
    return _ORIGIN_LETTERS.get(choice[:1], ()) if choice[:1] in {"1", "2"} or choice in {"h", "r"} else ()


def _short(setting: Setting, symbol: str) -> list[str]:
    """Return the short symbol of a tabulated monoclinic setting from its full one: I 1 2/c 1 is I2/c."""
    return [symbol.replace(" 1", "")] if 3 <= setting.number <= 15 and setting.choice else []


def _older(number: int, symbol: str) -> list[str]:
    """Return what a symbol was before: a double glide plane e by one of its two glides, -3 as 3 in m-3m."""
    if 200 <= number <= 206 or number >= 221:
        return [symbol.replace("-3", "3")]
    parts = symbol.split()
    axis = next((i for i, part in enumerate(parts[1:]) if "e" in part), None)
    if axis is None:
        return []
    glides = "abc".replace("abc"[axis], "")  # the plane is normal to this axis
    return [symbol.replace("e", glide) for glide in glides]


def _first(number: int) -> Setting:
    return next(setting for setting in all_settings() if setting.number == number)
