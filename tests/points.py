"""Finite sets with a known relation: a parent, a child, and what breaks the symmetry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orderparam.crystals.pointset import PointSet
from tests.clusters import ring

CORNERS = np.array([[1.0, 1, 0], [-1, 1, 0], [-1, -1, 0], [1, -1, 0]])
OCTAHEDRON = 2 * np.vstack([np.eye(3), -np.eye(3)])
TETRAHEDRON = np.array([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
ALTERNATING = np.array([1.0, -1, 1, -1, 1, -1])


@dataclass(frozen=True)
class Case:
    """A pair, the point groups, the primary irreps with their amplitude, and the carrier that the rule must choose."""

    name: str
    parent: PointSet
    child: PointSet
    groups: tuple[str, str]
    primary: dict[str, float]
    carrier: str


def centred(kind: str, other: str, places: np.ndarray, centre: tuple[float, ...] = (0, 0, 0)) -> PointSet:
    return PointSet(np.vstack([[centre], places]), (kind,) + (other,) * len(places))


def ethane(twist: float) -> PointSet:
    hydrogens = [ring(3, 1.0, height=1.16, twist=twist), ring(3, 1.0, height=-1.16, twist=np.pi / 3 - twist)]
    return PointSet(np.vstack([*hydrogens, [[0, 0, 0.77], [0, 0, -0.77]]]), ("H",) * 6 + ("C",) * 2)


def benzene(along: float, up: float = 0.0) -> PointSet:
    """Carbon atoms shifted alternately along the ring or up."""
    turns = np.pi * np.arange(6) / 3
    tangents = np.array([-np.sin(turns), np.cos(turns), 0 * turns]).T
    shift = ALTERNATING[:, None] * (along * tangents + [0, 0, up])
    return PointSet(np.vstack([ring(6, 1.4) + shift, ring(6, 2.49)]), ("C",) * 6 + ("H",) * 6)


CASES = (
    Case(
        "square", PointSet(CORNERS, ("C",) * 4), PointSet(CORNERS * [1.3, 0.7, 1], ("C",) * 4), ("D4h", "D2h"),
        {"B2g": 0.6 * np.sqrt(2)}, "all:2e",
    ),
    Case(
        "jahn-teller", centred("Cu", "O", OCTAHEDRON), centred("Cu", "O", OCTAHEDRON * [0.95, 0.95, 1.1]),
        ("Oh", "D4h"), {"Eg": np.sqrt(12) * 0.1}, "all:2e",
    ),
    Case("ethane", ethane(0.0), ethane(0.2), ("D3d", "D3"), {"A1u": np.sqrt(6) * np.sin(0.2)}, "all:0o"),
    Case(
        "tetrahedron", centred("P", "O", TETRAHEDRON), centred("P", "O", TETRAHEDRON * [1.1, 1.1, 0.8]),
        ("Td", "D2d"), {"E": np.sqrt(4 * 0.06)}, "all:2e",
    ),
    Case("benzene", benzene(0.0), benzene(0.05), ("D6h", "D3h"), {"B2u": np.sqrt(6) * 0.05}, "all:3o"),
    Case("chair", benzene(0.0), benzene(0.0, 0.15), ("D6h", "D3d"), {"B2g": np.sqrt(6) * 0.15}, "all:3e"),
)  # fmt: skip
