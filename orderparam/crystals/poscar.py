"""Read VASP's POSCAR, CONTCAR and XDATCAR: strictly, by their lines, as VASP reads them.

Own, because pymatgen and ASE each guess: elements that the file does not name become H, He, Li; a volume (negative
scale) is not applied to Cartesian coordinates; three scales are refused.
Source: https://www.vasp.at/wiki/index.php/POSCAR.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd
from pathlib import Path

import numpy as np

from orderparam.errors import InvalidInputError

from .crystal import Crystal, right_handed
from .filetext import element, number, numbers, shown, text_of
from .frames import Frames, one

MOST_ATOMS = 1_000_000
"""Counts beyond this are a mistake in the file."""


@dataclass(frozen=True)
class Header:
    """What stands above the coordinates.

    Attributes
    ----------
    scale : (3,)
        Factors of the Cartesian components x, y, z.
    lattice : (3, 3)
        Scaled basis vectors as rows, angstrom.
    names : tuple of str
        The words of the element line; empty in the format of VASP 4.
    counts : tuple of int
    end : int
        Index of the line behind the counts.
    """

    title: str
    scale: np.ndarray
    lattice: np.ndarray
    names: tuple[str, ...]
    counts: tuple[int, ...]
    end: int


@dataclass(frozen=True)
class Lines:
    """The lines of a file, with messages that name them."""

    path: Path
    lines: tuple[str, ...]

    @classmethod
    def of(cls, path: Path) -> Lines:
        """Return the lines of a file."""
        return cls(path, tuple(text_of(path).split("\n")))

    def words(self, index: int, what: str) -> list[str]:
        """Return the words of a line without its comment; commas separate as in Fortran."""
        if index >= len(self.lines):
            raise InvalidInputError(f"{self.path}: it ends before line {index + 1}: expected {what}")
        return without_comment(self.lines[index]).replace(",", " ").split()

    def numbers(self, index: int, n: int, what: str) -> list[float]:
        """Return the first `n` numbers of a line."""
        return numbers(self.words(index, what), n, f"{self.path}: line {index + 1}, {what}")

    def refuse(self, index: int, expected: str) -> InvalidInputError:
        """Return the error of a line that is something else than expected."""
        return InvalidInputError(
            f"{self.path}: line {index + 1}: expected {expected}, received {shown(self.lines[index])}"
        )


def without_comment(line: str) -> str:
    """Return a line up to ``!`` or ``#``."""
    return re.split(r"[!#]", line, maxsplit=1)[0]


def looks_like_poscar(head: str) -> bool:
    """Tell whether a text begins like a POSCAR: title, scale, three vectors, counts with or without elements."""
    lines = [without_comment(line).split() for line in head.split("\n")[:8]]
    if len(lines) < 8:
        return False
    scale = [word for word in lines[1] if number(word) is not None]
    vectors = all(len(line) >= 3 and all(number(word) is not None for word in line[:3]) for line in lines[2:5])
    counted = any(line and all(word.isdecimal() for word in line) for line in lines[5:7])
    return len(scale) in {1, 3} and vectors and counted


def looks_like_xdatcar(head: str) -> bool:
    """Tell whether a text is a POSCAR's header with numbered configurations."""
    return looks_like_poscar(head) and re.search(r"(?mi)^\s*direct configuration\s*=\s*\d", head) is not None


def read_poscar(path: Path) -> Frames:
    """Return the crystal of a POSCAR or CONTCAR; velocities and what else follows are passed over.

    Raises
    ------
    InvalidInputError
        When a line is not what VASP expects there, or elements are named nowhere.
    """
    lines = Lines.of(path)
    header = read_header(lines, 0)
    at = header.end
    selective = _first_letter(lines, at) == "s"
    at += selective
    kind = _first_letter(lines, at)
    if kind not in set("cdfk"):
        raise lines.refuse(at, "Direct or Cartesian")
    rows, ends = _read_rows(lines, at + 1, sum(header.counts), 6 if selective else 3)
    positions = (rows * header.scale) @ np.linalg.inv(header.lattice) if kind in "ck" else rows
    species, notes = _species(header, ends, path)
    return one(right_handed(Crystal(header.lattice, positions, species, (), str(path), notes)))


def read_xdatcar(path: Path) -> Frames:
    """Return the configurations of an XDATCAR, with one cell for all or one each.

    Raises
    ------
    InvalidInputError
    """
    lines = Lines.of(path)
    header = read_header(lines, 0)
    n = sum(header.counts)
    frames: list[tuple[Header, int]] = []
    at = header.end
    while at < len(lines.lines):
        if not lines.lines[at].strip():
            at += 1
        elif re.match(r"(?i)\s*direct configuration\s*=", lines.lines[at]):
            _read_rows(lines, at + 1, n, 3)
            frames.append((header, at + 1))
            at += n + 1
        else:
            again = read_header(lines, at)
            if (again.names, again.counts) != (header.names, header.counts):
                raise lines.refuse(at, "the next configuration, of the same atoms")
            header, at = again, again.end

    def crystal(index: int) -> Crystal:
        above, start = frames[index]
        positions, ends = _read_rows(lines, start, n, 3)
        species, notes = _species(above, ends, path)
        return right_handed(Crystal(above.lattice, positions, species, (), str(path), notes))

    return Frames(len(frames), crystal)


def read_header(lines: Lines, start: int) -> Header:
    """Return title, cell, elements and counts from the line `start` on.

    Raises
    ------
    InvalidInputError
    """
    title = lines.lines[start] if start < len(lines.lines) else ""
    raw = np.array([lines.numbers(start + row, 3, f"cell vector {row - 1}") for row in (2, 3, 4)])
    scale = _read_scale(lines, start + 1, raw)
    at = start + 5
    words = lines.words(at, "elements or counts")
    names: tuple[str, ...] = ()
    if words and not words[0].isdecimal():
        names, at = tuple(words), at + 1
        words = lines.words(at, "the number of atoms of each element")
    numerals = [word for word in words if word.isdecimal()]
    counts = tuple(int(word) for word in numerals if len(word) < 10)
    if not words or len(counts) != len(words) or not 0 < sum(counts) <= MOST_ATOMS:
        raise lines.refuse(at, "whole numbers of atoms, one for each element")
    if names and len(names) != len(counts):
        raise InvalidInputError(
            f"{lines.path}: line {at} names {len(names)} elements, line {at + 1} counts {len(counts)}; repair the file"
        )
    return Header(title, scale, raw * scale, names, counts, at + 1)


def _read_scale(lines: Lines, at: int, raw: np.ndarray) -> np.ndarray:
    """Return the factors of x, y, z: one for all, three, or the one that gives a volume (written negative)."""
    words = lines.words(at, "the scale")
    given: list[float] = []
    for word in words:
        if (value := number(word)) is None:
            break
        given.append(value)
    if len(given) not in {1, 3}:
        raise lines.refuse(at, "one scale, a negative volume, or three scales")
    if len(given) == 3:
        if min(given) <= 0:
            raise lines.refuse(at, "three scales above zero")
        return np.array(given)
    if given[0] == 0:
        raise lines.refuse(at, "a scale other than zero")
    volume = abs(float(np.linalg.det(raw)))
    if volume == 0:
        raise InvalidInputError(f"{lines.path}: the cell has no volume; check lines {at + 2} to {at + 4}")
    return np.full(3, given[0] if given[0] > 0 else float(np.cbrt(-given[0] / volume)))


def _first_letter(lines: Lines, at: int) -> str:
    words = lines.words(at, "Direct or Cartesian")
    return words[0][0].lower() if words else ""


def _read_rows(lines: Lines, start: int, n: int, columns: int) -> tuple[np.ndarray, list[str]]:
    """Return n coordinates (n, 3), and of each row the one word behind them ('' where there is none or more)."""
    if (left := len([line for line in lines.lines[start:] if line.strip()])) < n:
        raise InvalidInputError(f"{lines.path}: its counts say {n} atoms, but {left} lines follow; repair the file")
    rows, ends = np.empty((n, 3)), []
    for row in range(n):
        at = start + row
        rows[row] = lines.numbers(at, 3, f"atom {row + 1} of {n}")
        words = lines.words(at, "")[columns:]
        ends.append(words[0] if len(words) == 1 else "")
    beyond = lines.words(start + n, "")[:3] if start + n < len(lines.lines) else []
    if len(beyond) == 3 and all(number(word) is not None for word in beyond):
        raise InvalidInputError(
            f"{lines.path}: its counts say {n} atoms, but line {start + n + 1} is a further one; repair the file"
        )
    return rows, ends


def _species(header: Header, ends: Sequence[str], path: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the element of every atom and notes on where the file names them."""
    if header.names:
        kinds = [name_to_element(name) for name in header.names]
        if None in kinds:
            wrong = header.names[kinds.index(None)]
            raise InvalidInputError(
                f"{path}: line {header.end - 1}: expected chemical elements, received {shown(wrong)}"
            )
        species = _repeat([kind for kind in kinds if kind], header.counts)
        strays = [end for end, kind in zip(ends, species, strict=True) if element(end) and element(end) != kind]
        if strays:
            said = f"{path.name}: a name behind coordinates ({strays[0]}) is not that of the element line, which counts"
            return species, (said,)
        return species, ()
    if titled := _elements_of_title(header):
        said = f"{path.name}: it has no element line; its title names {' '.join(titled)}"
        return _repeat(titled, header.counts), (said,)
    behind = tuple(element(end) or "" for end in ends)
    blocks = np.split(np.array(behind), np.cumsum(header.counts)[:-1])
    if all(behind) and all(len(set(block)) <= 1 for block in blocks):
        return behind, (f"{path.name}: it has no element line; names behind the coordinates are taken",)
    raise InvalidInputError(
        f"{path}: it names no elements (a file of VASP 4); add a line such as 'Na Cl' above the counts, "
        f"one element for each of the {len(header.counts)}"
    )


def name_to_element(name: str) -> str | None:
    """Return the element of a word on the element line, without potential and hash.

    Examples
    --------
    >>> [name_to_element(name) for name in ("Fe_pv", "O/12ab34cd", "Sr_sv_GW/99", "Na", "Fe3", "Q")]
    ['Fe', 'O', 'Sr', 'Na', None, None]
    """
    return element(re.split(r"[_/]", name, maxsplit=1)[0])


def _repeat(kinds: Sequence[str], counts: Sequence[int]) -> tuple[str, ...]:
    return tuple(kind for kind, count in zip(kinds, counts, strict=True) for _ in range(count))


def _elements_of_title(header: Header) -> list[str] | None:
    """Return the elements that a title such as ``Na Ni O``, ``Na2 Ni2 O4`` or ``NaNiO2`` names, one for each count.

    Numbers in it must be those of the counts, up to a common factor; any other word, and it is no list of elements.
    """
    words = without_comment(header.title).split()
    if not words or not all(re.fullmatch(r"(?:[A-Z][a-z]?\d*)+", word) for word in words):
        return None
    found = [part for word in words for part in re.findall(r"([A-Z][a-z]?)(\d*)", word)]
    kinds = [element(name) for name, _ in found]
    if None in kinds or len(found) != len(header.counts):
        return None
    # words that are one bare element each are a list; everything else is a formula, whose numbers must fit
    if len(words) < len(found) or any(digits for _, digits in found):
        formula = [int(digits[:9] or 1) for _, digits in found]
        if _lowest(formula) != _lowest(header.counts):
            return None
    return [kind for kind in kinds if kind]


def _lowest(counts: Sequence[int]) -> list[int]:
    divisor = gcd(*counts) or 1
    return [count // divisor for count in counts]
