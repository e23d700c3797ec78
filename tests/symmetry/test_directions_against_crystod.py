"""A second opinion on isotropy subgroups: CrystOD 0.4.5, every special-point irrep of many groups, coupled pairs."""

from __future__ import annotations

import contextlib
import io
import re
import warnings
from collections import Counter

import numpy as np
import pytest

from orderparam.parent import abstract_parent
from orderparam.symmetry.inverse import ENANTIOMORPHS
from orderparam.symmetry.irreps import special_points
from orderparam.symmetry.labels import split_label
from orderparam.symmetry.parentirreps import named_irrep, special_irreps
from orderparam.symmetry.strata import find_directions

# two or more of each of the 32 crystal classes
GROUPS = (1, 2, 4, 5, 7, 9, 11, 14, 15, 18, 20, 24, 29, 33, 43, 48, 57, 62, 63, 70, 74, 76, 79, 80, 81, 82, 84, 88)
GROUPS += (91, 92, 98, 100, 109, 110, 113, 119, 122, 127, 129, 136, 139, 141, 142, 144, 146, 147, 148, 150, 152, 155)
GROUPS += (157, 160, 161, 163, 166, 167, 169, 173, 174, 175, 176, 178, 182, 184, 186, 187, 190, 191, 194, 195, 198)
GROUPS += (199, 201, 205, 206, 208, 212, 214, 216, 219, 220, 221, 223, 229)
LARGE = (225, 227, 228, 230)

PAIRS = [
    (221, "M3+", "R4+"), (221, "R4+", "GM4-"), (221, "X5+", "M3+"), (225, "GM4-", "X2-"), (191, "M2-", "GM6-"),
    (194, "K3", "GM2-"), (166, "F1+", "T2+"), (139, "X3-", "X2+"), (136, "GM5+", "M5+"), (129, "M1", "GM5+"),
    (62, "X1", "GM4-"), (205, "GM4-", "R1-R3-"), (216, "X5", "GM5"),
]  # fmt: skip

Row = tuple[str, int, int, int]


def crystod(*arguments: str) -> str:
    """Return what CrystOD prints."""
    out = io.StringIO()
    with warnings.catch_warnings(), contextlib.redirect_stdout(out):
        warnings.simplefilter("ignore")
        from crystod.isotropy_subgroup import main

        main([*arguments])
    return out.getvalue()


def single(*arguments: str) -> Counter[Row]:
    """Return label, lower number of the enantiomorphic pair, cell multiplication and index of all directions."""
    text = crystod(*arguments)
    rows = re.findall(r"^(\S+?)\([^)]*\)\s+(\d+) \S+\s+(\d+)\s+(\d+)", text, re.M)
    if not rows:
        raise RuntimeError(text[-500:])
    return Counter((plain(label), one_hand(int(n)), int(s), int(i)) for label, n, s, i in rows)


def coupled(*arguments: str) -> Counter[Row]:
    """Return the same of directions in which two irreps take part, without label."""
    text = crystod(*arguments)
    rows = re.findall(r"^\S+?\([^)]*\)\s+\S+?\([^)]*\)\s+(\d+) \S+\s+(\d+)\s+(\d+)", text, re.M)
    if not rows:
        raise RuntimeError(text[-500:])
    return Counter(("", one_hand(int(n)), int(s), int(i)) for n, s, i in rows)


def plain(label: str) -> str:
    """Return a label without what CrystOD writes otherwise: a pseudo-real U1U1 is its U1."""
    parts = split_label(label)
    return parts[0] if len(parts) == 2 and parts[0] == parts[1] else label


def one_hand(number: int) -> int:
    return min(number, ENANTIOMORPHS.get(number, number))


def ours(parent, irreps, label: str) -> Counter[Row]:
    return Counter(
        (label, one_hand(d.subgroup.space_group[0]), d.size, d.index) for d in find_directions(parent, irreps)
    )


def compare(number: int) -> int:
    """Compare all special points of one group; return the number of directions."""
    parent = abstract_parent(number)
    total = 0
    for letters, _ in special_points(number):
        mine: Counter[Row] = Counter()
        for irrep in special_irreps(parent):
            if irrep.irrep.k_label == letters and not irrep.is_identity:
                mine += ours(parent, [irrep], plain(irrep.label))
        if mine:
            theirs = single("--parent", str(number), "--kpoint", letters)
            identity = {row: n for row, n in theirs.items() if row[2:] == (1, 1)}
            assert mine == theirs - Counter(identity), (number, letters)
            total += sum(mine.values())
    return total


@pytest.mark.parametrize("number", [62, 198])
def test_two_groups(number):
    assert compare(number) > 10


@pytest.mark.slow
@pytest.mark.parametrize("number", [*GROUPS, *LARGE])
def test_every_special_point(number, record_property):
    n = compare(number)
    record_property("directions", n)
    print(f"directions of {number}: {n}")  # noqa: T201
    assert n > 0 or number == 1


@pytest.mark.slow
@pytest.mark.parametrize(("number", "first", "second"), PAIRS)
def test_coupled_pairs(number, first, second):
    parent = abstract_parent(number)
    irreps = [named_irrep(parent, label) for label in (first, second)]
    assert ours(parent, irreps, "") == coupled("--parent", str(number), "--irrep", first, second)


def test_a_wrong_answer_is_found_out():
    """Negative control: the directions of another irrep do not agree."""
    parent = abstract_parent(221)
    mine = ours(parent, [named_irrep(parent, "R5+")], "R4+")
    theirs = single("--parent", "221", "--irrep", "R4+")
    assert mine != theirs
    assert np.sum(list(theirs.values())) == 6
