"""The high-symmetry parent: a crystal on its exact sites, in a frame in which irreps have names.

The frame is the primitive basis `spacegroup.CENTRINGS` of the ISO-IR setting, in the orientation of the file; `frame`
chooses it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from .crystals.crystal import Crystal
from .crystals.layers import carried, is_layer, layer_cell
from .errors import SymmetryError
from .frame import ORIGIN_TOLERANCE, choose_frame, distances_to, origin_floats
from .shown import html_of
from .spacegroup import (
    CENTRINGS,
    SpaceGroup,
    centring_letter,
    hall_entries,
    report_symmetry,
    standard_group,
)
from .wavevectors import fractions_text, printed_copy

if TYPE_CHECKING:
    from .distort import Components
    from .distortion import Distortion


@dataclass(frozen=True)
class Parent:
    """A crystal with its space group, sites exactly on their Wyckoff positions.

    Attributes
    ----------
    crystal : Crystal
        Primitive cell, basis `CENTRINGS` of the ISO-IR setting, origin of that setting.
    group : SpaceGroup
        In the same basis.
    conventional : (3, 3) int
        Basis vectors (rows) of the conventional cell that people read, in the primitive basis: the file's own where
        it is a standard setting, else the ISO-IR setting's.
    file_basis : (3, 3) float
        Basis vectors (rows) of the file in the primitive basis.
    file_origin : (3,)
        The file's origin, fractional, in the primitive basis.
    wyckoffs, site_symmetries : tuple of str
        Per site.
    orbits : (n,) int
        First site of the crystallographic orbit of each site.
    targets, shifts : (n_operations, n) int, (n_operations, n, 3) int
        Operation {W|w} sends site i to site ``targets[g, i]`` in the cell ``shifts[g, i]``:
        ``W x_i + w = x_targets + shifts``.
    moved_max, moved_rms : float
        How far symmetrising moved atoms, angstrom.
    warnings : tuple of str
    finite : bool
        Whether this is a finite set of points in an empty box (`pointparent`), not a crystal.
    """

    crystal: Crystal
    group: SpaceGroup
    conventional: np.ndarray
    file_basis: np.ndarray
    file_origin: np.ndarray
    wyckoffs: tuple[str, ...]
    site_symmetries: tuple[str, ...]
    orbits: np.ndarray
    targets: np.ndarray
    shifts: np.ndarray
    moved_max: float
    moved_rms: float
    warnings: tuple[str, ...] = field(default=())
    finite: bool = False

    @property
    def lattice(self) -> np.ndarray:
        """Primitive basis vectors as rows, angstrom."""
        return self.crystal.lattice

    @property
    def rotations_cart(self) -> np.ndarray:
        """Cartesian rotation parts (n_operations, 3, 3)."""
        columns = self.lattice.T
        return columns @ self.group.rotations @ np.linalg.inv(columns)

    @property
    def origin_atom(self) -> str | None:
        """Label of the atom at the origin, if there is one."""
        distances = distances_to(self.crystal, np.zeros(3))
        nearest = int(np.argmin(distances))
        return self.crystal.labels[nearest] if distances[nearest] < ORIGIN_TOLERANCE else None

    def orbit_sites(self) -> dict[int, list[int]]:
        """Return the sites of every crystallographic orbit, keyed by its first site."""
        return {int(o): np.flatnonzero(self.orbits == o).tolist() for o in np.unique(self.orbits)}

    def k_conventional(self, k: np.ndarray) -> np.ndarray:
        """Turn a wave vector from the primitive into the conventional reciprocal basis."""
        return np.asarray(k) @ self.conventional.T

    def k_printed(self, k: np.ndarray) -> np.ndarray:
        """Return the copy of a wave vector (primitive) that people print, conventional; see `wavevectors`."""
        return printed_copy(self.k_conventional(k), np.linalg.inv(self.conventional))

    def k_text(self, k: np.ndarray) -> str:
        """Return a wave vector (primitive) as it is printed: ``0,1,0``."""
        return fractions_text(self.k_printed(k))

    def distort(self, order_parameters: Mapping[str, Components], strain: np.ndarray | None = None) -> Distortion:
        """Return this parent distorted by chosen order parameters (Ap, angstrom), in the smallest cell.

        The verb of `orderparam.distort.distort`, at hand on the noun; see there.

        Examples
        --------
        >>> from orderparam import read_crystal, symmetrise
        >>> parent = symmetrise(read_crystal("structures/perovskite/SrTiO3_221.cif"))
        >>> parent.distort({"R4+": (0.5, 0.5, 0), "M3+": (0, 0.4, 0)})
        Distortion(20 atoms, Pnma (62), index 24, As 1.6248 angstrom)
        """
        from .distort import distort

        return distort(self, order_parameters, strain)

    def __str__(self) -> str:
        return f"Parent({self.crystal.formula}, {self.group})"

    __repr__ = __str__
    _repr_html_ = html_of


def symmetrise(crystal: Crystal, symprec: float = 1e-3, *, origin: str | None = None) -> Parent:
    """Put a crystal onto its exact symmetry, in the frame that names irreps.

    Parameters
    ----------
    crystal : Crystal
        In any cell and setting; a layer is first brought to the cell of `layer_cell`.
    symprec : float
        spglib's tolerance, angstrom.
    origin : str, optional
        Element or site label that shall stand at the origin; without it `frame.choose_origin` decides.

    Raises
    ------
    SymmetryError
        When spglib finds no group, or no atom of `origin` can stand at a standard origin.
    """
    if is_layer(crystal):
        crystal = layer_cell(crystal)
    first = report_symmetry(crystal, symprec)
    entries = hall_entries(first.number)
    standard = first if first.hall_number == entries[0] else report_symmetry(crystal, symprec, hall_number=entries[0])
    transformation, shift, axes, warnings = choose_frame(crystal, standard, origin)
    centring = CENTRINGS[centring_letter(standard.number)]
    to_primitive = np.linalg.inv(centring).T @ transformation  # x_primitive = to_primitive x_file + origin
    file_origin = np.linalg.inv(centring).T @ shift
    file_basis = to_primitive.T  # rows: the file's basis vectors in the primitive basis
    lattice = np.linalg.inv(file_basis) @ crystal.lattice
    group = standard_group(standard.number)
    lattice = average_lattice(lattice, group.rotations)
    positions = crystal.positions @ to_primitive.T + file_origin
    sites, members = _fold(crystal, positions, lattice)
    exact, targets, shifts = _average_positions(positions[sites], [crystal.species[i] for i in sites], group, lattice)
    exact, targets, shifts = _wrap(exact, group, targets, shifts)
    moved = positions - exact[members]
    moved = (moved - np.rint(moved)) @ lattice
    lengths = np.linalg.norm(moved - moved.mean(axis=0) * origin_floats(group), axis=1)
    conventional = file_basis if axes == "file" else np.linalg.inv(centring)
    primitive = Crystal(
        lattice,
        exact,
        tuple(crystal.species[i] for i in sites),
        _orbit_labels(crystal, sites, targets),
        crystal.name,
        crystal.notes,
        periodic=carried(crystal, lattice),
    )
    sites_report = report_symmetry(primitive, 1e-4)
    return Parent(
        crystal=primitive,
        group=group,
        conventional=np.rint(conventional).astype(int),
        file_basis=file_basis,
        file_origin=file_origin,
        wyckoffs=sites_report.wyckoffs,
        site_symmetries=sites_report.site_symmetries,
        orbits=targets.min(axis=0),
        targets=targets,
        shifts=shifts,
        moved_max=float(lengths.max()),
        moved_rms=float(np.sqrt(np.mean(lengths**2))),
        warnings=(*crystal.notes, *warnings),
    )


def abstract_parent(number: int) -> Parent:
    """Return a space group without atoms as a parent, in the ISO-IR setting, with some lattice that suits it.

    Raises
    ------
    SymmetryError
        When there is no such group.
    """
    group = standard_group(number)
    spread = np.array([[1.0, 0.21, 0.13], [0.0, 1.17, 0.08], [0.0, 0.0, 1.31]])
    metric = np.mean(np.swapaxes(group.rotations, 1, 2) @ (spread @ spread.T) @ group.rotations, axis=0)
    lattice = 4 * np.linalg.cholesky(metric)
    n = group.order
    return Parent(
        crystal=Crystal(lattice, np.zeros((0, 3)), ()),
        group=group,
        conventional=np.rint(np.linalg.inv(CENTRINGS[centring_letter(number)])).astype(int),
        file_basis=np.eye(3),
        file_origin=np.zeros(3),
        wyckoffs=(),
        site_symmetries=(),
        orbits=np.zeros(0, int),
        targets=np.zeros((n, 0), int),
        shifts=np.zeros((n, 0, 3), int),
        moved_max=0.0,
        moved_rms=0.0,
    )


def average_lattice(lattice: np.ndarray, rotations: np.ndarray) -> np.ndarray:
    """Return the lattice (rows) whose metric every rotation keeps, in the orientation of the given one."""
    metric = np.mean(np.swapaxes(rotations, 1, 2) @ (lattice @ lattice.T) @ rotations, axis=0)
    shape = np.linalg.cholesky(metric)
    if np.linalg.det(lattice) < 0:
        shape = shape * [1, 1, -1]
    left, _, right = np.linalg.svd(shape.T @ lattice)
    return shape @ (left @ right)


def _fold(crystal: Crystal, positions: np.ndarray, lattice: np.ndarray) -> tuple[list[int], np.ndarray]:
    """Return one atom per site of the primitive cell, and for every atom the number of its site."""
    sites: list[int] = []
    members = np.empty(len(positions), int)
    for i, position in enumerate(positions):
        gaps = positions[sites] - position if sites else np.zeros((0, 3))
        close = np.linalg.norm((gaps - np.rint(gaps)) @ lattice, axis=1) < 0.25
        same = [j for j, near in enumerate(close) if near and crystal.species[sites[j]] == crystal.species[i]]
        if same:
            members[i] = same[0]
        else:
            members[i] = len(sites)
            sites.append(i)
    return sites, members


def _average_positions(
    positions: np.ndarray, species: list[str], group: SpaceGroup, lattice: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Average every site over the group; return positions and where each operation sends each site."""
    images = positions @ np.swapaxes(group.rotations, 1, 2) + group.translation_parts[:, None]
    gaps = images[:, :, None] - positions[None, None]
    shifts = np.rint(gaps)
    distances = np.linalg.norm((gaps - shifts) @ lattice, axis=-1)
    kinds = np.array(species)
    distances[:, kinds[:, None] != kinds[None]] = np.inf
    targets = distances.argmin(axis=2)
    if distances.min(axis=2).max() > 0.5 or (np.sort(targets, axis=1) != np.arange(len(positions))).any():
        raise SymmetryError("the operations that spglib reports do not map the atoms onto each other; lower --symprec")
    shifts = np.take_along_axis(shifts, targets[:, :, None, None], axis=2)[:, :, 0].astype(int)
    exact = np.zeros_like(positions)
    np.add.at(exact, targets.ravel(), (images - shifts).reshape(-1, 3))
    return exact / group.order, targets, shifts


def _wrap(
    positions: np.ndarray, group: SpaceGroup, targets: np.ndarray, shifts: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bring positions into [0, 1), simple fractions made exact, and recompute the cells that operations reach."""
    simple = np.array([float(Fraction(x).limit_denominator(24)) for x in positions.ravel()]).reshape(-1, 3)
    positions = np.where(np.abs(positions - simple) < 1e-9, simple, positions)
    positions = positions - np.floor(positions + 1e-9)
    images = positions @ np.swapaxes(group.rotations, 1, 2) + group.translation_parts[:, None]
    return positions, targets, np.rint(images - positions[targets]).astype(int)


def _orbit_labels(crystal: Crystal, sites: list[int], targets: np.ndarray) -> tuple[str, ...]:
    """Return one label per orbit: the file's where they tell orbits apart, else element and number."""
    orbits = targets.min(axis=0)
    own = {int(o): crystal.labels[sites[int(o)]] for o in np.unique(orbits)}
    if len(set(own.values())) < len(own) or any(label in crystal.species for label in own.values()):
        counts: dict[str, int] = {}
        for orbit in own:
            kind = crystal.species[sites[orbit]]
            counts[kind] = counts.get(kind, 0) + 1
            own[orbit] = f"{kind}{counts[kind]}"
    return tuple(own[int(o)] for o in orbits)
