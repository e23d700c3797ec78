"""What is drawn of a structure: atoms in a cell, bonds, coordination polyhedra, and the fields that move them.

A scene holds *anchors*, the copies of the atoms that are drawn. Every vertex of a drawing hangs on one anchor, so that
a distortion moves the drawing by moving the anchors: ``(place + u) (1 + strain)`` with ``u`` and ``strain`` the sums of
the parts, each times its weight.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

import numpy as np

from orderparam.errors import InvalidInputError, RecordError

MOST_ANCHORS = 1500
"""So many atoms are drawn; of a larger cell those nearest to its centre."""

BOND = 1.2
"""Atoms are bonded up to this times the sum of their covalent radii."""

LIGAND, NONMETAL = 0.5, 2.1
"""Species within `LIGAND` of the most electronegative one are ligands, those above `NONMETAL` (Pauling) nonmetals."""

POLYHEDRON = 4, 8
"""Fewest and most neighbours of an atom whose polyhedron is drawn."""

EDGE = 1e-3


@dataclass(frozen=True)
class Element:
    """How an element is drawn: Jmol's colour, covalent radius (angstrom), Pauling's electronegativity."""

    colour: str
    radius: float
    electronegativity: float


@cache
def _elements() -> dict[str, list]:
    return json.loads((files("orderparam") / "data/elements.json").read_text(encoding="utf-8"))


def element(species: str) -> Element:
    """Return how a species is drawn; a mixed site like its first element, an unknown one in pink."""
    found = re.match(r"[A-Z][a-z]?", species)
    colour, radius, negativity = _elements().get(found.group() if found else "", ["#ff1493", None, None])
    return Element(colour, radius or 1.5, negativity or 2.0)


@dataclass(frozen=True, eq=False)
class Part:
    """One field that moves a scene: an order parameter of a sum, or a structure to choose.

    Attributes
    ----------
    label, kind, detail : str
        Kind is ``"displacement"``, ``"strain"`` or ``"state"``.
    field : (n, 3)
        Displacements of the atoms at weight one, angstrom.
    strain : (3, 3)
    amplitude : float
        As, angstrom; of a strain without unit.
    primary : bool
    """

    label: str
    kind: str
    detail: str
    field: np.ndarray
    strain: np.ndarray
    amplitude: float
    primary: bool


@dataclass(frozen=True, eq=False)
class Scene:
    """A structure to draw.

    Attributes
    ----------
    species, labels : tuple of n str
        Of the atoms of the reference; labels as people read them.
    lattice, positions : (3, 3), (n, 3)
        The reference, fractional positions.
    cell, cell_origin : (3, 3), (3,)
        The cell that is drawn, Cartesian, angstrom; `parent_cell` and `parent_origin` are the parent's.
    parts : tuple of Part
    additive : bool
        Whether the parts add up (order parameters) or exclude each other (states).
    atoms, places : (a,) int, (a, 3)
        The anchors: atom that each is a copy of, and where it stands in the reference, Cartesian.
    bonds : (b, 2) int
        Anchors that are joined.
    faces : dict
        Triangles (f, 3) of anchors of the coordination polyhedra, by the species of their centres.
    n_left_out : int
        Atoms in the cell that are too many to draw.
    """

    species: tuple[str, ...]
    labels: tuple[str, ...]
    lattice: np.ndarray
    positions: np.ndarray
    cell: np.ndarray
    cell_origin: np.ndarray
    parent_cell: np.ndarray
    parent_origin: np.ndarray
    parts: tuple[Part, ...]
    additive: bool
    atoms: np.ndarray
    places: np.ndarray
    bonds: np.ndarray
    faces: dict[str, np.ndarray]
    n_left_out: int

    @property
    def left_out(self) -> str:
        """A sentence about the atoms that are too many to draw; empty where all are drawn."""
        return _left_out(len(self.species), self.n_left_out)

    @cached_property
    def anchor_species(self) -> np.ndarray:
        """Species of every anchor."""
        return np.array(self.species)[self.atoms]

    def moved(self, weights: Sequence[float] | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return displacements of the atoms (n, 3) and strain (3, 3) for weights of the parts.

        By default all parts of a sum count in full, and of states the first.
        """
        if weights is None:
            weights = [1.0 if self.additive or i == 0 else 0.0 for i in range(len(self.parts))]
        field, strain = np.zeros((len(self.species), 3)), np.zeros((3, 3))
        for weight, part in zip(weights, self.parts, strict=True):
            field, strain = field + weight * part.field, strain + weight * part.strain
        return field, strain

    def anchored(self, weights: Sequence[float] | None = None) -> np.ndarray:
        """Return where the anchors stand (a, 3) for weights of the parts, Cartesian, angstrom."""
        field, strain = self.moved(weights)
        return (self.places + field[self.atoms]) @ (np.eye(3) + strain)


def build_scene(drawing: Mapping[str, Any]) -> Scene:
    """Return the scene of a drawing record (schema ``orderparam/drawing``).

    Raises
    ------
    RecordError
        When the record lacks a field or its arrays do not fit.
    """
    try:
        lattice, positions = np.array(drawing["lattice"], float), np.array(drawing["positions"], float)
        cell, origin = np.array(drawing["cell"], float), np.array(drawing["cell_origin"], float)
        parent_cell = np.array(drawing["parent_cell"], float)
        steps = np.array(drawing["parent_primitive"], float)
        species = tuple(map(str, drawing["species"]))
        names = drawing["child_labels"] or drawing["labels"]
        parts = tuple(_part(p, len(species)) for p in drawing["parts"])
        additive = bool(drawing["additive"])
    except (KeyError, TypeError, ValueError) as problem:
        raise RecordError(f"the drawing record is not complete ({type(problem).__name__}: {problem})") from problem
    if positions.shape != (len(species), 3) or any(p.field.shape != positions.shape for p in parts):
        raise RecordError(f"the drawing record has {len(species)} species and positions {positions.shape}")
    if not species:
        raise InvalidInputError("there are no atoms to draw")
    cartesian = positions @ lattice
    middles = origin + cell.sum(axis=0) / 2 - parent_cell.sum(axis=0) / 2
    parent_origin = np.floor(middles @ np.linalg.inv(steps) + 0.5 - EDGE) @ steps
    atoms, places, n_left_out = _in_cell(cartesian, lattice, cell, origin)
    kinds = np.array(species)
    pairs = _bonded(cartesian, lattice, kinds)
    atoms, places, bonds, faces = _join(atoms, places, kinds, pairs)
    return Scene(
        species,
        tuple(map(str, names)),
        lattice,
        positions,
        cell,
        origin,
        parent_cell,
        parent_origin,
        parts,
        additive,
        atoms,
        places,
        bonds,
        faces,
        n_left_out,
    )


def left_out(drawing: Mapping[str, Any]) -> str:
    """Return a sentence about the atoms of a drawing that are too many to draw, before it is drawn; else nothing."""
    lattice, cell, origin = (np.array(drawing[name], float) for name in ("lattice", "cell", "cell_origin"))
    cartesian = np.array(drawing["positions"], float) @ lattice
    return _left_out(len(cartesian), _in_cell(cartesian, lattice, cell, origin)[2])


def _left_out(n_atoms: int, n_copies: int) -> str:
    if not n_copies:
        return ""
    return (
        f"the cell has {n_atoms} atoms, too many to draw: {n_copies} copies far from its centre are left out of the "
        "picture; the page's table has all atoms"
    )


def _part(record: Mapping[str, Any], n_atoms: int) -> Part:
    field = np.zeros((n_atoms, 3)) if record["field"] is None else np.array(record["field"], float)
    strain = np.zeros((3, 3)) if record["strain"] is None else np.array(record["strain"], float)
    return Part(
        str(record["label"]),
        str(record["kind"]),
        str(record["detail"]),
        field,
        strain,
        float(record["amplitude"]),
        bool(record["primary"]),
    )


# --- atoms in the cell, bonds, polyhedra ----------------------------------------------------------------------------


def _grid(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    axes = [np.arange(a, b + 1) for a, b in zip(low, high, strict=True)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3)


def _in_cell(
    cartesian: np.ndarray, lattice: np.ndarray, cell: np.ndarray, origin: np.ndarray
) -> tuple[np.ndarray, np.ndarray, int]:
    """Return all copies of the atoms in a cell, its faces included, and how many had to be left out."""
    corners = (_grid(np.zeros(3, int), np.ones(3, int)) @ cell + origin) @ np.linalg.inv(lattice)
    fractional = cartesian @ np.linalg.inv(lattice)
    low = np.floor(corners.min(axis=0) - fractional.max(axis=0)).astype(int) - 1
    high = np.ceil(corners.max(axis=0) - fractional.min(axis=0)).astype(int) + 1
    steps = _grid(low, high) @ lattice
    places = (cartesian[:, None] + steps[None]).reshape(-1, 3)
    atoms = np.repeat(np.arange(len(cartesian)), len(steps))
    inside = (places - origin) @ np.linalg.inv(cell)
    kept = np.all((inside > -EDGE) & (inside < 1 + EDGE), axis=1)
    atoms, places = atoms[kept], places[kept]
    n_left_out = max(0, len(atoms) - MOST_ANCHORS)
    if n_left_out:
        middle = origin + cell.sum(axis=0) / 2
        near = np.sort(np.argsort(np.linalg.norm(places - middle, axis=1), kind="stable")[:MOST_ANCHORS])
        atoms, places = atoms[near], places[near]
    return atoms, places, n_left_out


def _bonded(cartesian: np.ndarray, lattice: np.ndarray, kinds: np.ndarray) -> list[tuple[int, int, np.ndarray]]:
    """Return bonds of the reference as (atom, atom, vector between them), each in both directions."""
    from scipy.spatial import KDTree

    radii = {kind: element(kind).radius for kind in set(kinds.tolist())}
    reach = 2 * BOND * max(radii.values())
    spacings = 1 / np.linalg.norm(np.linalg.inv(lattice), axis=0)
    n = np.ceil(reach / spacings).astype(int) + 1
    wrapped = cartesian @ np.linalg.inv(lattice)
    shift = np.floor(wrapped)
    home = (wrapped - shift) @ lattice
    steps = _grid(-n, n) @ lattice
    points = (home[:, None] + steps[None]).reshape(-1, 3)
    owner = np.repeat(np.arange(len(home)), len(steps))
    tree = KDTree(points)
    found = []
    for a, near in enumerate(tree.query_ball_point(home, reach)):
        vectors = points[near] - home[a]
        lengths = np.linalg.norm(vectors, axis=1)
        limits = BOND * (radii[kinds[a]] + np.array([radii[kinds[owner[i]]] for i in near]))
        found += [
            (a, int(owner[i]), v)
            for i, v, d, limit in zip(near, vectors, lengths, limits, strict=True)
            if 0.1 < d < limit
        ]
    least = max(_negativity(kind) for kind in radii) - LIGAND
    chosen = [bond for bond in found if _is_drawn(str(kinds[bond[0]]), str(kinds[bond[1]]), least)]
    return chosen or found


def _is_drawn(one: str, other: str, least: float) -> bool:
    """Whether a bond joins a ligand and something else, or two nonmetals; `least` is that of the ligands."""
    pair = _negativity(one), _negativity(other)
    return (pair[0] >= least) != (pair[1] >= least) or min(pair) >= NONMETAL


def _negativity(kind: str) -> float:
    return element(str(kind)).electronegativity


def _join(
    atoms: np.ndarray, places: np.ndarray, kinds: np.ndarray, pairs: list[tuple[int, int, np.ndarray]]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Add the ligands of polyhedra outside the cell, and return all anchors, bonds and faces."""
    around: dict[int, list[tuple[int, np.ndarray]]] = {}
    for a, b, vector in pairs:
        around.setdefault(a, []).append((b, vector))
    centred = _centres(around, kinds)
    known = {_key(a, p): i for i, (a, p) in enumerate(zip(atoms.tolist(), places, strict=True))}
    all_atoms, all_places = atoms.tolist(), list(places)
    bonds: set[tuple[int, int]] = set()
    faces: dict[str, list[np.ndarray]] = {}
    for i, a in enumerate(atoms.tolist()):
        ring = []
        for b, vector in around.get(a, []):
            place = all_places[i] + vector
            j = known.get(_key(b, place))
            if j is None and a in centred:
                j = known[_key(b, place)] = len(all_atoms)
                all_atoms.append(b)
                all_places.append(place)
            if j is not None and (not centred or a in centred or b in centred):
                bonds.add((min(i, j), max(i, j)))
                ring.append(j)
        if a in centred:
            triangles = _hull(np.array([all_places[j] for j in ring]))
            faces.setdefault(str(kinds[a]), []).append(np.array(ring)[triangles])
    joined = np.array(sorted(bonds), int).reshape(-1, 2)
    return np.array(all_atoms), np.array(all_places), joined, {k: np.concatenate(f) for k, f in faces.items()}


def _centres(around: dict[int, list[tuple[int, np.ndarray]]], kinds: np.ndarray) -> set[int]:
    """Return the atoms whose polyhedra are drawn: few neighbours, all more electronegative, not flat."""
    fewest, most = POLYHEDRON
    found = set()
    for a, near in around.items():
        own = _negativity(kinds[a])
        if fewest <= len(near) <= most and all(_negativity(kinds[b]) > own for b, _ in near):
            spread = np.linalg.svd(np.array([v for _, v in near]), compute_uv=False)
            if spread[-1] > 0.2 * spread[0]:
                found.add(a)
    return found


def _key(atom: int, place: np.ndarray) -> tuple[int, ...]:
    return (int(atom), *np.rint((place + 0.0031) * 20).astype(int).tolist())


def _hull(points: np.ndarray) -> np.ndarray:
    """Return the triangles (f, 3) of the convex hull of points."""
    from scipy.spatial import ConvexHull

    return ConvexHull(points, qhull_options="QJ").simplices
