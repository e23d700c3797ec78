"""Symmetry operations as CIFs list them, exactly: integers over a common denominator."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import lcm

import numpy as np

from orderparam.errors import InvalidInputError

LARGEST = 4096
"""More operations than this in one cell are no group: Fm-3m in a 2x2x2 supercell has 1536."""

_TERM = re.compile(r"([+-]*)(?:(\d+(?:\.\d*)?|\.\d+)(?:/(\d+))?\*?)?([xyz])?")


@dataclass(frozen=True, eq=False)
class Operations:
    """A space group by its operations modulo the lattice translations of a cell, x -> W x + n / d.

    Attributes
    ----------
    rotations : (n, 3, 3) int
    numerators : (n, 3) int
        Translation parts times the denominator, in [0, d).
    denominator : int
        24 for every tabulated setting; others occur in supercells.
    """

    rotations: np.ndarray
    numerators: np.ndarray
    denominator: int

    @property
    def order(self) -> int:
        """Number of operations in the cell."""
        return len(self.rotations)

    @property
    def translations(self) -> np.ndarray:
        """Translation parts (n, 3) in [0, 1)."""
        return self.numerators / self.denominator

    @cached_property
    def keys(self) -> frozenset[tuple]:
        """The operations as a set: two groups with equal keys are the same group."""
        return frozenset(
            (*rotation, *(Fraction(int(n), self.denominator) for n in row))
            for rotation, row in zip(self.rotations.reshape(-1, 9).tolist(), self.numerators, strict=True)
        )


def from_hall(symbol: str) -> Operations:
    """Return the operations of a Hall symbol.

    Raises
    ------
    InvalidInputError
        When the symbol does not parse.
    """
    import gemmi

    lattice, _, rest = symbol.replace("_", " ").strip().partition(" ")
    try:
        group = list(gemmi.symops_from_hall(f"{lattice.upper()} {rest.strip().lower()}"))
    except (RuntimeError, ValueError, ArithmeticError) as problem:
        raise InvalidInputError(
            f"{symbol!r} is no Hall symbol ({problem}); expected one such as '-P 2ac 2n' for Pnma"
        ) from None
    rotations = np.array([op.rot for op in group]) // group[0].DEN
    numerators = np.array([op.tran for op in group]) % group[0].DEN
    return Operations(rotations, numerators, int(group[0].DEN))


def from_listing(texts: Sequence[str], centrings: Sequence[str] = ()) -> tuple[Operations, int]:
    """Return the group that listed operations generate, and how many they are with the centrings.

    Parameters
    ----------
    texts : sequence of str
        Such as ``-y, x-y, z+1/3``; a time reversal behind (``x,y,z,-1``) is left out.
    centrings : sequence of str
        Translations listed apart, as magnetic CIFs do.

    Raises
    ------
    InvalidInputError
        When one is no operation, or when they generate no finite group.
    """
    seitz = [_parse(text) for text in texts]
    shifts = [_parse(text)[1] for text in centrings]
    seitz += [(tuple(map(tuple, np.eye(3, dtype=int).tolist())), shift) for shift in shifts]
    denominator = lcm(24, *(part.denominator for _, shift in seitz for part in shift))
    if denominator > 1_000_000:
        raise InvalidInputError("the translations of the listed operations have no common denominator; repair the list")
    rotations = np.array([rotation for rotation, _ in seitz])
    numerators = np.array([[int(part * denominator) for part in shift] for _, shift in seitz])
    group = _generate(rotations, numerators % denominator, denominator)
    listed = len({(w.tobytes(), n.tobytes()) for w, n in zip(rotations, numerators % denominator, strict=True)})
    if centrings:
        listed = group.order  # operations times centrings
    return group, listed


def keeps_metric(operations: Operations, metric: np.ndarray) -> float:
    """Return by how much the operations change the cell's metric tensor G (3, 3), as a part of its largest element.

    max |W^T G W - G| / max |G| over all W: zero where the cell has the symmetry.
    """
    turned = np.einsum("nji,jk,nkl->nil", operations.rotations, metric, operations.rotations)
    return float(np.abs(turned - metric).max() / np.abs(metric).max())


def _parse(text: str) -> tuple[tuple[tuple[int, ...], ...], tuple[Fraction, ...]]:
    """Return rotation and translation of ``x,y,z`` notation."""
    parts = re.sub(r"\s", "", text.lower()).split(",")
    if len(parts) == 4 and re.fullmatch(r"[+-]?1|m[+-]?1", parts[3]):
        parts = parts[:3]
    if len(parts) != 3 or not all(parts):
        raise InvalidInputError(f"{text!r} is no symmetry operation; expected three parts such as 'x, y+1/2, -z'")
    rows = [_row(part, text) for part in parts]
    rotation = tuple(row for row, _ in rows)
    if round(abs(np.linalg.det(np.array(rotation)))) != 1:
        raise InvalidInputError(f"{text!r} is no symmetry operation: it does not keep volumes; repair the list")
    return rotation, tuple(shift % 1 for _, shift in rows)


def _row(part: str, text: str) -> tuple[tuple[int, ...], Fraction]:
    row, shift, at = [Fraction(0)] * 3, Fraction(0), 0
    while at < len(part):
        found = _TERM.match(part, at)
        if found is None or found.end() == at or not (found[2] or found[4]) or (at > 0 and not found[1]):
            raise InvalidInputError(f"{text!r} is no symmetry operation: {part!r} is not understood")
        signs, number, below, axis = found.groups()
        value = _number(number, below) if number else Fraction(1)
        value *= (-1) ** signs.count("-")
        if axis:
            row["xyz".index(axis)] += value
        else:
            shift += value
        at = found.end()
    if any(entry.denominator != 1 for entry in row):
        raise InvalidInputError(f"{text!r} is no symmetry operation of a lattice: its rotation is not integer")
    return tuple(int(entry) for entry in row), shift


def _number(number: str, below: str | None) -> Fraction:
    """Return a fraction; a rounded decimal is the multiple of 1/24 within half a unit of its last digit.

    Sixths may be cut off, too (0.66, 0.166); any other decimal stands for itself.
    """
    if below:
        if int(below) == 0:
            raise InvalidInputError("a symmetry operation divides by zero; repair the list")
        return Fraction(number) / int(below)
    exact = Fraction(number)
    decimals = len(number.partition(".")[2])
    if decimals >= 2:
        for denominator, bound in ((24, Fraction(1, 2 * 10**decimals)), (6, Fraction(1, 10**decimals))):
            nearest = Fraction(round(exact * denominator), denominator)
            if abs(nearest - exact) <= bound:
                return nearest
    return exact


def _generate(rotations: np.ndarray, numerators: np.ndarray, denominator: int) -> Operations:
    """Return the group that operations generate, coset by coset (Dimino)."""
    found_w, found_n = [np.eye(3, dtype=int)[None]], [np.zeros((1, 3), int)]
    seen = {(found_w[0][0].tobytes(), found_n[0][0].tobytes())}
    generators: list[tuple[np.ndarray, np.ndarray]] = []
    for w, n in zip(rotations, numerators, strict=True):
        if (w.tobytes(), n.tobytes()) in seen:
            continue
        generators.append((w, n))
        base_w, base_n = np.concatenate(found_w), np.concatenate(found_n)
        representatives = [(w, n)]
        while representatives:
            rep_w, rep_n = representatives.pop()
            if (rep_w.tobytes(), rep_n.tobytes()) in seen:
                continue
            coset_w = base_w @ rep_w
            coset_n = (base_w @ rep_n + base_n) % denominator
            found_w.append(coset_w)
            found_n.append(coset_n)
            seen.update((a.tobytes(), b.tobytes()) for a, b in zip(coset_w, coset_n, strict=True))
            if len(seen) > LARGEST or np.abs(coset_w).max() > 100:
                raise InvalidInputError("the listed operations generate no finite group; repair the list")
            for gen_w, gen_n in generators:
                representatives.append((rep_w @ gen_w, (rep_w @ gen_n + rep_n) % denominator))
    return Operations(np.concatenate(found_w), np.concatenate(found_n), denominator)


def listed_texts(values: Iterable[str | None]) -> list[str]:
    """Return the operations of a column, unknown entries left out."""
    return [value for value in values if value]
