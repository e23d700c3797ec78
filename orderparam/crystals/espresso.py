"""Read Quantum ESPRESSO's pw.x input: every Bravais index, every unit.

Own, because ASE treats ibrav = 0 alone, and loses what stands on the line of &system. Cells by the table of INPUT_PW
(https://www.quantum-espresso.org/Doc/INPUT_PW.html).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from orderparam.errors import InvalidInputError

from .crystal import Crystal, right_handed
from .filetext import element_of_label, number, numbers, shown, text_of
from .frames import Frames, one
from .moments import stated_moments_left_out

BOHR = 0.529177210903
"""Angstrom, CODATA 2018."""

_HALF = 0.5
CENTRINGS: Mapping[int, np.ndarray] = {
    1: np.eye(3),
    2: _HALF * np.array([[-1, 0, 1], [0, 1, 1], [-1, 1, 0]]),
    3: _HALF * np.array([[1, 1, 1], [-1, 1, 1], [-1, -1, 1]]),
    -3: _HALF * np.array([[-1, 1, 1], [1, -1, 1], [1, 1, -1]]),
    4: np.eye(3),
    6: np.eye(3),
    7: _HALF * np.array([[1, -1, 1], [1, 1, 1], [-1, -1, 1]]),
    8: np.eye(3),
    9: _HALF * np.array([[1, 1, 0], [-1, 1, 0], [0, 0, 2]]),
    -9: _HALF * np.array([[1, -1, 0], [1, 1, 0], [0, 0, 2]]),
    91: _HALF * np.array([[2, 0, 0], [0, 1, -1], [0, 1, 1]]),
    10: _HALF * np.array([[1, 0, 1], [1, 1, 0], [0, 1, 1]]),
    11: _HALF * np.array([[1, 1, 1], [-1, 1, 1], [-1, -1, 1]]),
    12: np.eye(3),
    -12: np.eye(3),
    13: _HALF * np.array([[1, 0, -1], [0, 2, 0], [1, 0, 1]]),
    -13: _HALF * np.array([[1, 1, 0], [-1, 1, 0], [0, 0, 2]]),
    14: np.eye(3),
}
"""Primitive vectors as rows in the basis of the conventional cell, by `ibrav`; 5 and -5 have a formula of their own."""
NEEDED = {1: "a", 2: "a", 3: "a", 4: "ac", 5: "a", 6: "ac", 7: "ac"}
"""Lengths that |ibrav| needs; the others follow from a. From 8 on all three."""

CARDS = (
    "ATOMIC_",
    "K_POINTS",
    "ADDITIONAL_K_POINTS",
    "CELL_PARAMETERS",
    "CONSTRAINTS",
    "OCCUPATIONS",
    "SOLVENTS",
    "HUBBARD",
)
"""Beginnings of cards that may follow the positions."""


def looks_like_espresso(head: str) -> bool:
    """Tell whether a text begins like the input of pw.x."""
    return re.search(r"(?mi)^\s*&(control|system)\b", head) is not None


def read_espresso(path: Path) -> Frames:
    """Return the crystal of an input of pw.x.

    Raises
    ------
    InvalidInputError
        When the cell or the atoms are not all there, or positions are those of a space group (`crystal_sg`).
    """
    system, cards = _namelist(text_of(path), "system", path)
    ibrav, nat = (_integer(system, key, path) for key in ("ibrav", "nat"))
    cell, alat = _cell(system, cards, ibrav, path)
    labels, positions = _positions(cards, nat, cell, alat, path)
    kinds = [element_of_label(label) for label in labels]
    if None in kinds:
        raise InvalidInputError(f"{path}: expected chemical elements, received {shown(labels[kinds.index(None)])}")
    species = tuple(kind for kind in kinds if kind)
    notes = []
    if ibrav == -13:
        notes.append(f"{path.name}: ibrav = -13 is read as versions after 6.4.1 do (a1 = a/2, b/2, 0)")
    if any(key.startswith("starting_magnetization") and number(value) != 0 for key, value in system.items()):
        notes += stated_moments_left_out("starting_magnetization")  # a part of the valence, by kind
    return one(right_handed(Crystal(cell, positions, species, (), str(path), tuple(notes))))


def _namelist(text: str, name: str, path: Path) -> tuple[dict[str, str], list[str]]:
    """Return a namelist's values by their names in small letters, and the lines outside all namelists.

    Fortran separates by commas, blanks or lines, and goes on in an array: ``celldm(2) = 1.2, 1.5`` sets (2) and (3).
    """
    bodies: dict[str, list[str]] = {}
    cards: list[str] = []
    inside: list[str] | None = None
    for raw in text.split("\n"):
        line = re.sub(r"'[^']*'|\"[^\"]*\"", "''", raw).split("!")[0].strip()
        if inside is None and (start := re.match(r"&(\w+)", line)):
            if start.group(1).lower() in bodies:
                raise InvalidInputError(f"{path}: &{start.group(1)} stands there twice; which counts?")
            inside = bodies[start.group(1).lower()] = []
            line = line[start.end() :]
        if inside is None:
            cards += [line] if line and not line.startswith("#") else []
            continue
        content, *end = re.split(r"/|&end", line, maxsplit=1)
        inside.append(content)
        if end:
            inside = None
    if name not in bodies:
        raise InvalidInputError(f"{path}: it has no &{name}; expected an input of pw.x")
    values: dict[str, str] = {}
    key, index = "", 0
    for assigned, subscript, value in re.findall(
        r"([A-Za-z]\w*)\s*(?:\(([\d\s,]*)\))?\s*=|([^\s,=]+)", " ".join(bodies[name])
    ):
        if assigned:
            key = assigned.lower()
            index = int(subscript[:6]) if subscript.strip().isdecimal() else int(key == "celldm")
        else:
            values[f"{key}({index})" if index else key] = value
            index += 1
    return values, cards


def _integer(system: Mapping[str, str], key: str, path: Path) -> int:
    value = system.get(key, "nothing")
    if not re.fullmatch(r"[+-]?\d{1,7}", value):
        raise InvalidInputError(f"{path}: expected {key} = a whole number in &system, received {shown(value)}")
    return int(value)


def _lengths(system: Mapping[str, str], path: Path) -> tuple[list[float], list[float], bool]:
    """Return a, b, c in angstrom (0 where not given), three cosines as celldm or by name, and whether by celldm."""
    celldm = [_float(system.get(f"celldm({index})", "0"), path) for index in range(1, 7)]
    if celldm[0]:
        a = celldm[0] * BOHR
        return [a, a * celldm[1], a * celldm[2]], celldm[3:], True
    return (
        [_float(system.get(key, "0"), path) for key in "abc"],
        [_float(system.get(key, "0"), path) for key in ("cosbc", "cosac", "cosab")],
        False,
    )


def _float(value: str, path: Path) -> float:
    return numbers([value], 1, f"{path}: a cell parameter in &system")[0]


def _cell(system: Mapping[str, str], cards: Sequence[str], ibrav: int, path: Path) -> tuple[np.ndarray, float | None]:
    """Return basis vectors (3, 3) and alat, both in angstrom; alat None where the file gives none."""
    lengths, cosines, by_celldm = _lengths(system, path)
    alat = lengths[0] or None
    if ibrav == 0:
        return _free_cell(cards, alat, path)
    if alat is None:
        raise InvalidInputError(f"{path}: ibrav = {ibrav} needs celldm(1) or A in &system")
    return bravais_cell(ibrav, lengths, _by_angle(ibrav, cosines, by_celldm), str(path)), alat


def _by_angle(ibrav: int, cosines: Sequence[float], by_celldm: bool) -> list[float]:
    """Return the cosines of alpha, beta, gamma.

    celldm(4), (5), (6) are those in this order for ibrav = 14 alone; otherwise (4) is of gamma and (5) of beta.
    """
    if ibrav == 14 or not by_celldm:
        return list(cosines)
    return [0.0, cosines[1], cosines[0]]


def bravais_cell(ibrav: int, lengths: Sequence[float], cosines: Sequence[float], where: str) -> np.ndarray:
    """Return the primitive vectors as rows (3, 3) of a Bravais index.

    Parameters
    ----------
    ibrav : int
    lengths : a, b, c in angstrom, 0 where the index does not need them
    cosines : of alpha, beta, gamma
    where : str
        Begins the messages.

    Raises
    ------
    InvalidInputError
        When the index does not exist, or a length or angle is missing or impossible.

    Examples
    --------
    >>> bravais_cell(2, (4.0, 0, 0), (0, 0, 0), "x").tolist()
    [[-2.0, 0.0, 2.0], [0.0, 2.0, 2.0], [-2.0, 2.0, 0.0]]
    """
    if abs(ibrav) != 5 and ibrav not in CENTRINGS:
        raise InvalidInputError(f"{where}: there is no ibrav = {ibrav}; expected 0 to 14, -3, -5, -9, 91, -12 or -13")
    given = dict(zip("abc", lengths, strict=True))
    needed = NEEDED.get(abs(ibrav), "abc")
    if any(given[key] <= 0 for key in needed):
        raise InvalidInputError(f"{where}: ibrav = {ibrav} needs the lengths {', '.join(needed)}, above zero")
    if any(abs(value) >= 1 for value in cosines):
        raise InvalidInputError(f"{where}: the cosine of a cell angle must be between -1 and 1")
    a, b, c = (given[key] if key in needed else given["a"] for key in "abc")
    if abs(ibrav) == 5:
        return _rhombohedral(ibrav, a, cosines[2], where)
    alpha, beta, gamma = (0.0, 0.0, 0.0)
    if abs(ibrav) == 4:
        gamma = -0.5
    elif ibrav in {12, 13}:
        gamma = cosines[2]
    elif ibrav in {-12, -13}:
        beta = cosines[1]
    elif ibrav == 14:
        alpha, beta, gamma = cosines
    metric = np.array([[1, gamma, beta], [gamma, 1, alpha], [beta, alpha, 1]])
    if np.linalg.det(metric) <= 0:
        raise InvalidInputError(f"{where}: no cell has these angles")
    return CENTRINGS[ibrav] @ (np.array([[a], [b], [c]]) * np.linalg.cholesky(metric))


def _rhombohedral(ibrav: int, a: float, cosine: float, where: str) -> np.ndarray:
    """Return three vectors of length a around z (5) or around the diagonal (-5)."""
    if cosine <= -0.5:
        raise InvalidInputError(f"{where}: a rhombohedral angle is below 120 degrees: its cosine is above -1/2")
    x, y, z = np.sqrt([(1 - cosine) / 2, (1 - cosine) / 6, (1 + 2 * cosine) / 3])
    if ibrav == 5:
        return a * np.array([[x, -y, z], [0, 2 * y, z], [-x, -y, z]])
    u, v = (z - 2 * np.sqrt(2) * y, z + np.sqrt(2) * y)
    return a / np.sqrt(3) * np.array([[u, v, v], [v, u, v], [v, v, u]])


def _card(cards: Sequence[str], name: str, path: Path) -> tuple[str, list[list[str]]] | None:
    """Return the option of a card and the words of all lines below it; None where the card is not there."""
    starts = [index for index, line in enumerate(cards) if line.upper().startswith(name)]
    if len(starts) > 1:
        raise InvalidInputError(f"{path}: {name} stands there {len(starts)} times; which counts?")
    if not starts:
        return None
    option = re.sub(r"[(){}\s]", "", cards[starts[0]][len(name) :]).lower()
    lines = (re.split(r"[!#]", line, maxsplit=1)[0].split() for line in cards[starts[0] + 1 :])
    return option, [words for words in lines if words]


def _free_cell(cards: Sequence[str], alat: float | None, path: Path) -> tuple[np.ndarray, float | None]:
    """Return the cell of CELL_PARAMETERS and alat, which is the first vector's length where the file gives none."""
    card = _card(cards, "CELL_PARAMETERS", path)
    if card is None or len(card[1]) < 3:
        raise InvalidInputError(f"{path}: ibrav = 0 needs CELL_PARAMETERS with three vectors")
    option, rows = card
    unit = {"bohr": BOHR, "angstrom": 1.0, "alat": alat, "": alat or BOHR}.get(option)
    if option in {"bohr", "angstrom"} and alat is not None:
        raise InvalidInputError(f"{path}: CELL_PARAMETERS {option} beside celldm(1) or A, which pw.x refuses; drop one")
    if unit is None:
        raise InvalidInputError(
            f"{path}: CELL_PARAMETERS: expected angstrom, bohr, or alat with celldm(1) or A, received {shown(option)}"
        )
    cell = unit * np.array([numbers(row, 3, f"{path}: CELL_PARAMETERS") for row in rows[:3]])
    return cell, alat or float(np.linalg.norm(cell[0]))


def _positions(
    cards: Sequence[str], nat: int, cell: np.ndarray, alat: float | None, path: Path
) -> tuple[list[str], np.ndarray]:
    """Return the labels of nat atoms and their fractional coordinates (nat, 3)."""
    card = _card(cards, "ATOMIC_POSITIONS", path)
    if card is None:
        raise InvalidInputError(f"{path}: it has no ATOMIC_POSITIONS")
    option, rows = card
    end = next((index for index, words in enumerate(rows) if words[0].upper().startswith(CARDS)), len(rows))
    if end != nat or nat < 1:
        raise InvalidInputError(f"{path}: nat says {nat} atoms, ATOMIC_POSITIONS holds {end}; repair the file")
    unit = {"crystal": 0.0, "angstrom": 1.0, "bohr": BOHR, "alat": alat, "": alat}.get(option)
    if unit is None:
        raise InvalidInputError(
            f"{path}: ATOMIC_POSITIONS: expected crystal, angstrom, bohr or alat, received {shown(option)}"
        )
    rows = rows[:end]
    values = np.array([[_expression(word, path) for word in _three(words, path)] for words in rows])
    return [words[0] for words in rows], values if unit == 0.0 else unit * values @ np.linalg.inv(cell)


def _three(words: Sequence[str], path: Path) -> Sequence[str]:
    if len(words) < 4:
        raise InvalidInputError(f"{path}: expected an element and x, y, z, received {shown(' '.join(words))}")
    return words[1:4]


def _expression(word: str, path: Path) -> float:
    """Return a number, or the value of an expression such as ``1/3`` or ``1/2*3^(-1/2)``."""
    value = number(word)
    if value is not None:
        return value
    from ase.io.espresso import infix_float

    # ASE takes a/b/c as a/(b/c), and knows no minus between two terms
    if not re.fullmatch(r"[\d.+*/^()-]{1,60}", word) or re.search(r"/[^()+*]*/|[\d.)]-|\^[^()]*\^", word):
        raise InvalidInputError(f"{path}: expected a coordinate, received {shown(word)}")
    try:
        value = infix_float(word)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError, RecursionError):
        value = np.nan
    return numbers([repr(float(value))], 1, f"{path}: a coordinate {shown(word)}")[0]
