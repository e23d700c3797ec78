"""Tilt systems of a perovskite of rigid units: structures that follow from their tilts alone.

The 14 ways in which corner-sharing octahedra can tilt in Glazer's scheme without mixing in-phase and anti-phase tilts
on one axis. For given order parameters (R4+ for tilts of alternating sign along their axis, M3+ for equal ones; the
B cation stands at the origin) the octahedra are made as regular as the pattern allows: every other displacement of the
anions and the cell are free, and the squared misfit of all bonds and edges is least. What follows is a smooth
function of the order parameters, known to rounding errors: a test for any method that learns that function.

References
----------
Glazer, Acta Cryst. B28, 3384 (1972). Howard & Stokes, Acta Cryst. B54, 782 (1998), Table 1.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.optimize import least_squares

from .crystals.crystal import Crystal
from .distort import distort
from .distortion import Distortion
from .errors import InvalidInputError
from .network.graph import Edges, find_edges
from .network.orbits import invariant_fields
from .o3 import Irrep, irreps_to_symmetric
from .parent import Parent, symmetrise
from .supercell import Subgroup, Supercell
from .symmetry.modes import ModeBasis, SiteRepresentation, expand, mode_basis
from .symmetry.parentirreps import named_irrep

EDGE = 3.9  # angstrom
REACH = 0.75
"""Of the cell's edge: between the edges of an octahedron (0.707; as far is X from A) and the next distance (0.866)."""

IN_PHASE, ANTI_PHASE = "M3+", "R4+"
FRACTIONS = (1.0, 0.8, 0.6)
"""Of the largest angle: tilts about axes of the first, second and third letter that tilt at all."""

TILT_SYSTEMS = {
    "a+b+c+": 71,
    "a+a+a+": 204,
    "a0b+b+": 139,
    "a0a0c+": 127,
    "a0a0c-": 140,
    "a0b-b-": 74,
    "a-a-a-": 167,
    "a0b-c-": 12,
    "a-b-b-": 15,
    "a-b-c-": 2,
    "a0b+c-": 63,
    "a+b-b-": 62,
    "a+b-c-": 11,
    "a+a+c-": 137,
}
"""Symbol and space group of the 14 tilt systems (Howard & Stokes, 1998)."""


def cubic_perovskite(species: tuple[str, str, str] = ("Ca", "Ti", "O"), edge: float = EDGE) -> Parent:
    """Return the untilted parent ABX3 with B at the origin."""
    A, B, X = species
    positions = [[0.5, 0.5, 0.5], [0, 0, 0], [0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5]]
    return symmetrise(Crystal(edge * np.eye(3), np.array(positions), (A, B, X, X, X)))


def tilt_system(symbol: str, parent: Parent | None = None, *, angle: float = 8.0) -> Distortion:
    """Return a tilt system with octahedra as regular as it allows.

    Parameters
    ----------
    symbol : str
        Glazer's symbol, such as ``a+b-b-``.
    parent : Parent, optional
        A cubic perovskite with B at the origin; default `cubic_perovskite`.
    angle : float
        Degrees. The first letter that tilts does so by this angle, the next by 0.8 of it, a third by 0.6: an anion at
        r moves by tan(angle) x r in the order parameter.

    Returns
    -------
    Distortion
        Displacements of the anions and strain for which bonds of length a/2 and edges of a/sqrt 2 are met best, in the
        primitive cell. The A cation moves with the centre of its twelve anions.

    Examples
    --------
    >>> tilted = tilt_system("a+b-b-")
    >>> tilted.group.space_group, tilted.supercell.n_atoms
    ((62, 'Pnma'), 20)
    """
    parent = cubic_perovskite() if parent is None else parent
    start = distort(parent, tilt_components(parent, symbol, angle))
    holes, _, anions = _sites(start.supercell)
    fields, strains = _free_fields(start, anions), _free_strains(start.group)

    def distortion(free: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        moved = np.einsum("k,kni->ni", free[: len(fields)], fields)
        return start.displacements + moved, irreps_to_symmetric(free[len(fields) :] @ strains)

    edges = _octahedra(start.supercell)
    zero = np.zeros(len(fields) + len(strains))
    found = least_squares(lambda free: _misfits(edges, *distortion(free)), zero, xtol=1e-15, ftol=1e-15, gtol=1e-14)
    displacements, strain = distortion(found.x)
    around = find_edges(start.supercell.lattice, start.supercell.positions, REACH * _edge(parent))
    for site in holes:
        displacements[site] = displacements[around.neighbours[around.centres == site]].mean(axis=0)
    return replace(start, displacements=displacements - displacements.mean(axis=0), strain=strain)


def tilt_components(parent: Parent, symbol: str, angle: float) -> dict[str, np.ndarray]:
    """Return the components (Ap, angstrom) of M3+ and R4+ in a tilt system, by label.

    Raises
    ------
    InvalidInputError
        When the symbol is none, or the parent is no cubic perovskite with B at the origin.
    """
    signs = symbol[1::2]
    if len(symbol) != 6 or set(signs) - set("+-0"):
        raise InvalidInputError(f"{symbol!r}: expected a tilt system such as a+b-b-")
    letters = list(dict.fromkeys(letter for letter, sign in zip(symbol[::2], signs, strict=True) if sign != "0"))
    angles = {letter: np.tan(np.radians(angle)) * FRACTIONS[i] for i, letter in enumerate(letters)}
    doubled = Supercell.build(parent, 2 * np.eye(3, dtype=int))
    _, _, anions = _sites(doubled)
    found: dict[str, np.ndarray] = {}
    for axis, (letter, sign) in enumerate(zip(symbol[::2], signs, strict=True)):
        if sign == "0":
            continue
        label = IN_PHASE if sign == "+" else ANTI_PHASE
        field = np.zeros((doubled.n_atoms, 3))
        omega = angles[letter] * np.eye(3)[axis]
        # every anion is reached from the B cation below it along its bond
        places = doubled.positions[anions] @ doubled.lattice / _edge(parent)
        below = np.floor(places + 1e-6)
        phase = below.sum(axis=1) - (below[:, axis] if sign == "+" else 0)
        field[anions] = (-1.0) ** phase[:, None] * np.cross(omega, (places - below) * _edge(parent))
        basis = _tilt_basis(parent, label)
        components = basis.components(doubled.fourier(field, basis.k))
        found[label] = found.get(label, 0.0) + components
    return found


def all_tilt_systems(parent: Parent | None = None, *, angle: float = 8.0) -> dict[str, Distortion]:
    """Return the 14 tilt systems by symbol."""
    parent = cubic_perovskite() if parent is None else parent
    return {symbol: tilt_system(symbol, parent, angle=angle) for symbol in TILT_SYSTEMS}


def misfit_of(distortion: Distortion) -> float:
    """Return the largest deviation of a bond or an edge of the octahedra from the undistorted one, angstrom."""
    edges = _octahedra(distortion.supercell)
    return float(np.abs(_misfits(edges, distortion.displacements, distortion.strain)).max())


def _octahedra(cell: Supercell) -> Edges:
    """Return the bonds B-X and the edges X-X of all octahedra, in both directions."""
    holes, _, _ = _sites(cell)
    edges = find_edges(cell.lattice, cell.positions, REACH * _edge(cell.parent))
    inside = ~np.isin(edges.centres, holes) & ~np.isin(edges.neighbours, holes)
    return Edges(*(part[inside] for part in (edges.centres, edges.neighbours, edges.images, edges.vectors)))


def _misfits(edges: Edges, displacements: np.ndarray, strain: np.ndarray) -> np.ndarray:
    """Return by how much every bond and edge is too long (n_edges,), angstrom."""
    moved = edges.vectors + displacements[edges.neighbours] - displacements[edges.centres]
    return np.linalg.norm(moved @ (np.eye(3) + strain), axis=1) - edges.lengths


def _edge(parent: Parent) -> float:
    return float(np.linalg.norm(parent.lattice[0]))


def _sites(cell: Supercell) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the atoms that are A, B and X."""
    positions = cell.parent.crystal.positions % 1.0
    halves = np.isclose(positions, 0.5).sum(axis=1)
    if sorted(halves) != [0, 1, 1, 1, 3] or not np.isclose(2 * positions % 1.0, 0.0).all():
        raise InvalidInputError(
            f"tilt systems: expected a cubic perovskite ABX3 with B at the origin, received {cell.parent.crystal}"
        )
    own = halves[cell.sites]
    return np.flatnonzero(own == 3), np.flatnonzero(own == 0), np.flatnonzero(own == 1)


def _tilt_basis(parent: Parent, label: str) -> ModeBasis:
    representation = SiteRepresentation.on_sites(parent, parent.rotations_cart)
    return mode_basis(representation, named_irrep(parent, label))


def _free_fields(start: Distortion, anions: np.ndarray) -> np.ndarray:
    """Return the invariant displacements (n, n_atoms, 3) of the anions that hold no tilt order parameter."""
    cell = start.supercell
    fields = invariant_fields(start.group.action(), Irrep(1, -1), anions)
    for label in (IN_PHASE, ANTI_PHASE):
        basis = _tilt_basis(cell.parent, label)
        held = [expand(basis, cell, basis.components(cell.fourier(field, basis.k))) for field in fields]
        fields = fields - np.array(held).reshape(fields.shape)
    _, values, right = np.linalg.svd(fields.reshape(len(fields), -1), full_matrices=False)
    return right[values > 1e-6].reshape(-1, cell.n_atoms, 3)


def _free_strains(group: Subgroup) -> np.ndarray:
    """Return an orthonormal basis (n, 6) of the strains that are invariant under a group, as 0e + 2e."""
    rotations = group.action().rotations
    units = irreps_to_symmetric(np.eye(6))
    mean = np.array([(rotations @ unit @ np.swapaxes(rotations, 1, 2)).mean(axis=0) for unit in units])
    projector = np.einsum("aij,bij->ab", units, mean)
    values, vectors = np.linalg.eigh((projector + projector.T) / 2)
    return vectors[:, values > 0.5].T
