"""The text of a file and the numbers in it: strict, so that nothing is guessed."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from orderparam.errors import InvalidInputError

from .elements import elements

PACKED = (".gz", ".bz2", ".xz")
"""Endings of packed files; their content is recognised by its first bytes."""
HEAD = 16384
"""Characters from the beginning of a file by which its format is recognised."""

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][+-]?\d+)?")
_UNPACK = ((b"\x1f\x8b", gzip.decompress), (b"BZh", bz2.decompress), (b"\xfd7zXZ", lzma.decompress))


def text_of(path: Path) -> str:
    """Return the text of a file, unpacked if need be, with one kind of line ends and no byte-order mark.

    Raises
    ------
    InvalidInputError
        When a packed file is damaged.
    """
    data = path.read_bytes()
    for magic, unpack in _UNPACK:
        if data.startswith(magic):
            try:
                data = unpack(data)
            except (OSError, EOFError, ValueError, lzma.LZMAError) as problem:
                raise InvalidInputError(f"{path}: a damaged packed file ({problem}); unpack it first") from problem
    return _decoded(data)


def head_of(path: Path) -> str:
    """Return the beginning of a file's text, without reading more than that where it is not packed."""
    with path.open("rb") as file:
        data = file.read(HEAD)
    if data.startswith(tuple(magic for magic, _ in _UNPACK)):
        return text_of(path)[:HEAD]
    return _decoded(data)


def _decoded(data: bytes) -> str:
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return data.decode("utf-16", errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    return data.decode("utf-8-sig", errors="replace").replace("\r\n", "\n").replace("\r", "\n")


def plain_name(path: Path) -> str:
    """Return the file's name in small letters without the ending of a packed file."""
    name = path.name.lower()
    return next((name.removesuffix(ending) for ending in PACKED if name.endswith(ending)), name)


def number(word: str) -> float | None:
    """Return the finite number that a word is, with Fortran's D exponents too; None where it is none.

    Examples
    --------
    >>> number("1.5d-1"), number("-.5"), number("nan"), number("1_0"), number("1e999")
    (0.15, -0.5, None, None, None)
    """
    if not word.isascii() or not _NUMBER.fullmatch(word):
        return None
    value = float(word.lower().replace("d", "e"))
    return value if np.isfinite(value) else None


def numbers(words: Sequence[str], n: int, where: str) -> list[float]:
    """Return the first `n` words as numbers.

    Raises
    ------
    InvalidInputError
        When they are fewer, or one is not a finite number; `where` begins the message.
    """
    values = [value for word in words[:n] if (value := number(word)) is not None]
    if len(values) < n:
        what = "a finite number" if n == 1 else f"{n} finite numbers"
        raise InvalidInputError(f"{where}: expected {what}, received {shown(' '.join(words))}")
    return values


def shown(text: str) -> str:
    """Return a text in quotes as it fits into one line of a message."""
    text = " ".join(text.split())
    return repr(text if len(text) <= 60 else text[:57] + "...")


def element(word: str) -> str | None:
    """Return the element that a word is, deuterium and tritium as hydrogen; None where it is none.

    Examples
    --------
    >>> element("Fe"), element("D"), element("FE"), element("Xx")
    ('Fe', 'H', None, None)
    """
    if word in {"D", "T"}:
        return "H"
    return word if word in elements() else None


def element_of_label(label: str) -> str | None:
    """Return the element of a label: a symbol in any letters, maybe with a letter, or a sign and more, behind it.

    Two letters are tried before one, as Quantum ESPRESSO does.

    Examples
    --------
    >>> [element_of_label(label) for label in ("Fe1", "O_up", "FE", "C1", "Ca2+", "Oa", "Fea", "x", "Iron")]
    ['Fe', 'O', 'Fe', 'C', 'Ca', 'O', 'Fe', None, None]
    """
    letters = re.match(r"[A-Za-z]*", label)
    word = (letters.group() if letters else "").capitalize()
    tries = {1: (word,), 2: (word, word[:1]), 3: (word[:2],)}.get(len(word), ())
    return next((symbol for symbol in map(element, tries) if symbol), None)
