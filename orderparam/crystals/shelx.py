"""Read SHELX's .res and .ins: the asymmetric unit with its lattice type, operations and free variables.

Own, because ASE passes over LATT and SYMM and takes the asymmetric unit for the crystal.
Source: G. M. Sheldrick, Acta Cryst. A64, 112 (2008), and the manual of SHELXL.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from orderparam.errors import InvalidInputError
from orderparam.lattice import cell_vectors

from .cif.operations import Operations, from_listing
from .crystal import Crystal, right_handed
from .filetext import element_of_label, number, numbers, shown, text_of
from .frames import Frames, one
from .mixtures import species_text

SAME_PLACE = 0.01
"""Images of an atom nearer than this (angstrom) are one: SHELX writes five or six decimals."""
FULL = 0.01
"""A site whose occupancy is within this of 1 is full: SHELX writes 1/48 as 0.02083."""
VOLUME = 2e-3
"""Relative difference at most from the volume in the title of an AIRSS file."""

CENTRINGS = {
    1: [(0, 0, 0)],
    2: [(0, 0, 0), (12, 12, 12)],
    3: [(0, 0, 0), (16, 8, 8), (8, 16, 16)],
    4: [(0, 0, 0), (0, 12, 12), (12, 0, 12), (12, 12, 0)],
    5: [(0, 0, 0), (0, 12, 12)],
    6: [(0, 0, 0), (12, 0, 12)],
    7: [(0, 0, 0), (12, 12, 0)],
}
"""Lattice translations over 24 by LATT: P, I, R (obverse), F, A, B, C."""

INSTRUCTIONS = """
ABIN ACTA AFIX ANIS ANSC ANSR BASF BEDE BIND BLOC BOND BUMP CELL CGLS CHIV CONF CONN DAMP DANG DEFS DELU DFIX DISP EADP
EGEN END EQIV EXTI EXYZ FEND FLAT FMAP FRAG FREE FVAR GRID HFIX HKLF HOPE HTAB INIT ISOR L.S. LATT LAUE LIST LONE MERG
MOLE MORE MPLA NCSY NEUT OMIT PART PATT PHAN PLAN PRIG PSEE REM RENU RESI RIGU RTAB SADI SAME SFAC SHEL SIMU SIZE SPEC
SPIN STIR SUMP SWAT SYMM TEMP TEXP TIME TITL TREF TWIN TWST UNIT VECT WGHT WIGL WPDB XNPD ZERR
"""
"""First words of lines that are no atoms."""


@dataclass
class _Content:
    """What the instructions say, gathered line by line."""

    path: Path
    title: list[str] = field(default_factory=list)
    cell: np.ndarray | None = None
    latt: int | None = None
    operations: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    unit: list[float] = field(default_factory=list)
    free: list[float] = field(default_factory=list)
    atoms: list[list[str]] = field(default_factory=list)
    peaks: int = 0

    def refuse(self, expected: str, found: object) -> InvalidInputError:
        return InvalidInputError(f"{self.path}: expected {expected}, received {shown(str(found))}")


def looks_like_shelx(head: str) -> bool:
    """Tell whether a text begins like a SHELX file: CELL with seven numbers, and SFAC."""
    cell = re.search(r"(?mi)^CELL((?:\s+[\d.]+){7})\s*$", head)
    return cell is not None and re.search(r"(?mi)^SFAC\s", head) is not None


def read_shelx(path: Path) -> Frames:
    """Return the crystal of a .res or .ins: every atom's orbit under the operations of the file.

    Raises
    ------
    InvalidInputError
        When the file is incomplete, its operations form no group, or occupancies are beyond 1.
    """
    content = _gather(path)
    if content.cell is None or content.latt is None or not content.kinds or not content.atoms:
        held = {"CELL": content.cell is not None, "LATT": content.latt, "SFAC": content.kinds, "atoms": content.atoms}
        missing = [name for name, value in held.items() if not value]
        raise InvalidInputError(f"{path}: a SHELX file needs CELL, LATT, SFAC and atoms; {', '.join(missing)} missing")
    group = _group(content)
    sites: list[_Site] = []
    for words in content.atoms:
        _add_orbit(sites, words, content, group)
    species = tuple(site.name(path) for site in sites)
    crystal = Crystal(
        content.cell,
        np.array([site.position for site in sites]),
        species,
        tuple(site.label for site in sites),
        str(path),
    )
    notes = _notes(content, crystal, sites)
    return one(right_handed(Crystal(crystal.lattice, crystal.positions, species, crystal.labels, str(path), notes)))


def _gather(path: Path) -> _Content:
    """Return what the lines up to HKLF or END say."""
    content = _Content(path)
    fragment = False
    text = re.sub(r"=[^\S\n]*(?:!.*)?\n", " ", text_of(path))
    for line in text.split("\n"):
        words = line.split("!")[0].split()
        if not words:
            continue
        key = words[0].upper().split("_")[0][:4]
        if key in {"HKLF", "END"}:
            break
        fragment = (fragment or key == "FRAG") and key != "FEND"
        if fragment or key in {"REM", "FEND"}:
            continue
        if key == "MOVE" or line.startswith("+"):
            raise content.refuse("atoms as they are (no MOVE, no other files)", line)
        if key in INSTRUCTIONS.split():
            _instruct(content, key, words)
        elif _is_atom(words, len(content.kinds)):
            if re.fullmatch(r"Q\d+", words[0].upper()):
                content.peaks += 1
            else:
                content.atoms.append(words)
        elif not line[0].isspace():
            raise content.refuse("an instruction of SHELX, or an atom: its name, number of SFAC, x, y, z", line)
    return content


def _is_atom(words: Sequence[str], kinds: int) -> bool:
    return (
        len(words) >= 5
        and words[1].isdecimal()
        and 1 <= int(words[1][:6]) <= kinds
        and all(number(word) is not None for word in words[2:5])
    )


def _instruct(content: _Content, key: str, words: list[str]) -> None:
    where = f"{content.path}: {key}"
    if key == "TITL":
        content.title = words
    elif key == "CELL":
        values = numbers(words[1:], 7, where)
        content.cell = cell_vectors(values[1:4], values[4:7], where)
    elif key == "LATT":
        value = numbers(words[1:], 1, where)[0]
        if abs(value) not in CENTRINGS:
            raise content.refuse("LATT from 1 to 7, negative without inversion", " ".join(words))
        content.latt = int(value)
    elif key == "SYMM":
        content.operations.append(_operation("".join(words[1:]), content))
    elif key == "SFAC":
        long = len(words) > 3 and number(words[2]) is not None
        for word in words[1:2] if long else words[1:]:
            if (kind := element_of_label(word)) is None:
                raise content.refuse("chemical elements behind SFAC", word)
            content.kinds.append(kind)
    elif key == "UNIT":
        content.unit = [value for word in words[1:] if (value := number(word)) is not None]
    elif key == "FVAR":
        content.free += numbers(words[1:], len(words) - 1, where)


def _group(content: _Content) -> Operations:
    """Return all operations modulo lattice translations.

    SYMM leaves out the identity, the inversion of a positive LATT, and what centring adds.
    """
    latt = content.latt or 1
    listed = ["x,y,z", *content.operations]
    if latt > 0:
        listed += [",".join(_inverted(part) for part in text.split(",")) for text in listed]
    group, n_listed = from_listing([_shifted(text, shift) for shift in CENTRINGS[abs(latt)] for text in listed])
    if group.order != n_listed:
        raise InvalidInputError(f"{content.path}: the operations of SYMM and LATT form no group; one may be missing")
    return group


def _shifted(text: str, shift: Sequence[int]) -> str:
    """Return an operation followed by a translation over 24."""
    return ",".join(f"{part}+{n}/24" for part, n in zip(text.split(","), shift, strict=True))


def _inverted(part: str) -> str:
    """Return one coordinate with all signs turned: ``x-y`` becomes ``-x+y``."""
    signed = part if part.startswith(("+", "-")) else f"+{part}"
    return signed.translate(str.maketrans("+-", "-+"))


def _operation(text: str, content: _Content) -> str:
    """Return an operation such as ``0.5-X, Y, -Z`` without blanks, in small letters; refuse what is none."""
    text = re.sub(r"\s", "", text).lower()
    try:
        cyclic, _ = from_listing([text])
    except InvalidInputError:
        cyclic = None
    if cyclic is None or cyclic.denominator != 24 or text.count(",") != 2:
        raise content.refuse("an operation of a space group such as -X, 0.5+Y, -Z", text.upper())
    return text


@dataclass
class _Site:
    """A place in the cell and what stands on it, in parts of an atom."""

    position: np.ndarray
    label: str
    parts: dict[str, float]

    def name(self, path: Path) -> str:
        """Return the species: an element, or a mixture such as ``Ca0.5Sr0.5``."""
        total = sum(self.parts.values())
        if total > 1 + FULL:
            raise InvalidInputError(
                f"{path}: occupancies at {self.label} sum to {total:.3g} (expected at most 1); on special positions "
                "SHELX divides them by the order of the site"
            )
        if len(self.parts) == 1 and total > 1 - FULL:
            return next(iter(self.parts))
        return species_text(self.parts)


def _value(word: str, content: _Content) -> float:
    """Return a parameter: p; p fixed as 10 + p; p fv(m) as 10 m + p; p (fv(m) - 1) as -(10 m + p)."""
    value = numbers([word], 1, f"{content.path}: an atom")[0]
    if abs(value) < 5:
        return value
    m = int(np.rint(value / 10))
    p = value - 10 * m
    if m == 1:
        return p
    if not 2 <= abs(m) <= len(content.free):
        raise content.refuse(f"free variables up to {len(content.free)} (FVAR)", word)
    variable = content.free[abs(m) - 1]
    return p * variable if m > 0 else p * (variable - 1)


def _add_orbit(sites: list[_Site], words: list[str], content: _Content, group: Operations) -> None:
    """Add an atom's orbit: to the places that are there, else as new ones."""
    assert content.cell is not None
    position = np.array([_value(word, content) for word in words[2:5]])
    kind = content.kinds[int(words[1]) - 1]
    images = group.rotations @ position + group.translations
    orbit: list[np.ndarray] = []
    for image in images:
        if not _near(image, orbit, content.cell):
            orbit.append(image - np.floor(image))
    share = _value(words[5], content) if len(words) > 5 else 1.0
    occupancy = share * len(images) / len(orbit)
    if not 0 < occupancy < 1 + FULL:
        raise InvalidInputError(
            f"{content.path}: {words[0]} has the occupancy {occupancy:.4g} (expected more than 0, at most 1); on "
            "special positions SHELX divides it by the order of the site"
        )
    places = [site.position for site in sites]
    for image in orbit:
        there = _near(image, places, content.cell)
        if there:
            parts = sites[there[0]].parts
            parts[kind] = parts.get(kind, 0.0) + occupancy
        else:
            sites.append(_Site(image, words[0], {kind: occupancy}))


def _near(image: np.ndarray, places: Sequence[np.ndarray], cell: np.ndarray) -> list[int]:
    """Return the indices of places within `SAME_PLACE` of an image, modulo lattice translations."""
    if not places:
        return []
    steps = np.array(places) - image
    return np.flatnonzero(np.linalg.norm((steps - np.rint(steps)) @ cell, axis=1) < SAME_PLACE).tolist()


def _notes(content: _Content, crystal: Crystal, sites: Sequence[_Site]) -> tuple[str, ...]:
    """Return what the file says and the atoms do not; refuse what contradicts them.

    The title of an AIRSS file states volume and number of atoms; UNIT the content of the cell, often roughly.
    """
    name, title = content.path.name, content.title
    notes = []
    volume = number(title[3]) if len(title) > 8 and title[8].startswith("(") and title[7].isdecimal() else None
    if volume and (int(title[7]) != len(sites) or abs(volume / crystal.volume - 1) > VOLUME):
        raise InvalidInputError(
            f"{content.path}: its title says {title[7]} atoms in {volume:g} cubic angstrom, it holds {len(sites)} in "
            f"{crystal.volume:.2f}"
        )
    held = _summed(part for site in sites for part in site.parts.items())
    stated = _summed(zip(content.kinds, content.unit, strict=False))
    differing = [kind for kind in stated if abs(stated[kind] - held.get(kind, 0.0)) > max(0.01 * stated[kind], 0.01)]
    if differing:
        pairs = ", ".join(f"{kind} {stated[kind]:.4g} and {held.get(kind, 0.0):.4g}" for kind in differing)
        notes.append(f"{name}: UNIT and the atoms give different contents of the cell ({pairs}); the atoms are taken")
    if content.peaks:
        notes.append(f"{name}: {content.peaks} peaks of electron density (Q) are no atoms")
    return tuple(notes)


def _summed(parts: Iterable[tuple[str, float]]) -> dict[str, float]:
    total: dict[str, float] = {}
    for kind, amount in parts:
        total[kind] = total.get(kind, 0.0) + amount
    return total
