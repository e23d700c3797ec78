"""The high-symmetry parent: a crystal on its exact sites, in a frame in which irreps have names.

The frame is the ISO-IR setting of the space group (Stokes, Campbell & Cordes, Acta Cryst. A69, 388 (2013)), its
primitive basis `spacegroup.CENTRINGS`, in the orientation of the file. Labels of irreps depend on the origin; the rule
for it stands in `choose_origin`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from .crystal import Crystal
from .errors import InvalidInputError, SymmetryError
from .shown import html_of
from .spacegroup import (
    CENTRINGS,
    DENOMINATOR,
    SpaceGroup,
    SymmetryReport,
    centring_letter,
    hall_entries,
    hall_operations,
    report_symmetry,
    standard_group,
    symbol_of,
)

if TYPE_CHECKING:
    from .distort import Components
    from .distortion import Distortion

ORIGIN_TOLERANCE = 0.05
"""An atom this near to the origin (angstrom) stands on it."""


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
        distances = _distances_to(self.crystal, np.zeros(3))
        nearest = int(np.argmin(distances))
        return self.crystal.labels[nearest] if distances[nearest] < ORIGIN_TOLERANCE else None

    def orbit_sites(self) -> dict[int, list[int]]:
        """Return the sites of every crystallographic orbit, keyed by its first site."""
        return {int(o): np.flatnonzero(self.orbits == o).tolist() for o in np.unique(self.orbits)}

    def k_conventional(self, k: np.ndarray) -> np.ndarray:
        """Turn a wave vector from the primitive into the conventional reciprocal basis (what people print)."""
        return np.asarray(k) @ self.conventional.T

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
        from orderparam.distort import distort

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
        In any cell and setting.
    symprec : float
        spglib's tolerance, angstrom.
    origin : str, optional
        Element or site label that shall stand at the origin; without it `choose_origin` decides.

    Raises
    ------
    SymmetryError
        When spglib finds no group, or no atom of `origin` can stand at a standard origin.
    """
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
    lengths = np.linalg.norm(moved - moved.mean(axis=0) * _polar(group), axis=1)
    conventional = file_basis if axes == "file" else np.linalg.inv(centring)
    primitive = Crystal(
        lattice,
        exact,
        tuple(crystal.species[i] for i in sites),
        _orbit_labels(crystal, sites, targets),
        crystal.name,
        crystal.notes,
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


# --- the frame ----------------------------------------------------------------------------------------------------


def choose_frame(
    crystal: Crystal, report: SymmetryReport, origin: str | None
) -> tuple[np.ndarray, np.ndarray, str, tuple[str, ...]]:
    """Choose the map from the file's frame to the ISO-IR setting.

    Returns
    -------
    transformation, shift : (3, 3), (3,)
        x_standard = transformation x_file + shift.
    axes : str
        ``"file"`` where the file's own basis is a conventional one, else ``"standard"``.
    warnings : tuple of str
    """
    halls = hall_entries(report.number)
    fits = [_fits_setting(report, crystal.lattice, hall) for hall in halls]
    axes = "file" if any(kind != "no" for kind in fits) else "standard"
    if fits[0] == "yes":
        transformation, shift = np.eye(3), np.zeros(3)
    else:
        transformation, shift = report.transformation, report.origin_shift
    candidates = _origin_candidates(shift, standard_group(report.number))
    lengths = np.linalg.norm(candidates @ np.linalg.inv(transformation).T @ crystal.lattice, axis=1)
    candidates, lengths = candidates[np.argsort(lengths, kind="stable")], np.sort(lengths)
    tolerance = max(10 * report.symprec, 0.01)
    keeps = lengths[0] < tolerance or "yes" in fits
    if origin is None and keeps:
        if lengths[0] >= tolerance:
            return transformation, candidates[0], axes, ()
        if "yes" in fits:
            return transformation, np.zeros(3), axes, ()
        same = _equivalent_origins(report, crystal.lattice, transformation, candidates, tolerance)
        return transformation, min(same, key=lambda shift: _description(crystal, transformation, shift)), axes, ()
    best, warnings = choose_origin(crystal, transformation, candidates, origin, symbol_of(report.number))
    return transformation, best, axes, warnings


def choose_origin(
    crystal: Crystal, transformation: np.ndarray, candidates: np.ndarray, origin: str | None, symbol: str
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Choose among the standard origins of a group as a function of the structure alone.

    An origin with an atom on it is preferred; then the species with the fewest atoms, then the shorter distance to
    the next atom (in a perovskite: the B cation), then the distances of all atoms from the origin, by species, then
    the smallest coordinates, z first (in rutile: oxygen at x,x,0).

    Returns
    -------
    shift : (3,)
        x_standard = transformation x_file + shift.
    warnings : tuple of str
    """
    counts = {kind: crystal.species.count(kind) for kind in crystal.species}
    order = sorted(counts, key=lambda kind: (counts[kind], kind))
    keys, atoms = [], []
    for shift in candidates:
        place = -np.linalg.solve(transformation, shift)  # the standard origin, in the file's fractional coordinates
        distances = _distances_to(crystal, place)
        nearest = int(np.argmin(distances))
        atom = nearest if distances[nearest] < ORIGIN_TOLERANCE else None
        gap = round(float(np.sort(_distances_to(crystal, crystal.positions[nearest], itself=False))[0]), 2)
        spectrum = tuple(
            round(float(d), 2) for kind in order for d in np.sort(distances[np.array(crystal.species) == kind])[:4]
        )
        keys.append((atom is None, counts[crystal.species[nearest]], gap, crystal.species[nearest], spectrum))
        atoms.append(atom)
    ranked = sorted(
        range(len(candidates)), key=lambda i: (keys[i], _description(crystal, transformation, candidates[i]))
    )
    if origin is not None:
        fitting = [i for i in ranked if atoms[i] is not None and origin in _names(crystal, atoms[i])]
        if not fitting:
            possible = sorted({crystal.species[a] for a in atoms if a is not None})
            raise InvalidInputError(
                f"--origin {origin}: no such atom can stand at a standard origin of {symbol}; "
                + (f"these can: {', '.join(possible)}" if possible else "no atom can")
            )
        return candidates[fitting[0]], ()
    best = ranked[0]
    different = {keys[i] for i in ranked}
    if len(different) < 2:
        return candidates[best], ()
    atom = atoms[best]
    chosen = f"{crystal.species[atom]} is put at the origin" if atom is not None else "the origin is put off the atoms"
    others = sorted(
        {crystal.species[a] for a in atoms if a is not None} - {crystal.species[atom] if atom is not None else ""}
    )
    hint = f"; --origin {others[0]} chooses otherwise" if others else ""
    return candidates[best], (
        f"the parent's origin is not a standard origin of {symbol}: {chosen}, and labels of irreps depend on it{hint}",
    )


def _equivalent_origins(
    report: SymmetryReport, lattice: np.ndarray, transformation: np.ndarray, candidates: np.ndarray, tolerance: float
) -> np.ndarray:
    """Return the shifts whose origins an operation of the crystal maps onto the origin of the file."""
    places = -np.linalg.solve(transformation, candidates.T).T
    gaps = places[:, None] - report.translations[None]
    lengths = np.linalg.norm((gaps - np.rint(gaps)) @ lattice, axis=2).min(axis=1)
    return candidates[lengths < tolerance]


def _description(crystal: Crystal, transformation: np.ndarray, shift: np.ndarray) -> list[tuple[float, ...]]:
    """Return the coordinates (z, y, x) of all atoms in the standard frame, sorted, element by element."""
    places = crystal.positions @ transformation.T + shift
    places = np.round(places - np.floor(places + 5e-4), 3) + 0.0
    return sorted((float(kind), *place[::-1]) for kind, place in zip(crystal.kinds, places.tolist(), strict=True))


def _names(crystal: Crystal, atom: int | None) -> set[str]:
    return set() if atom is None else {crystal.species[atom], crystal.labels[atom]}


def _fits_setting(report: SymmetryReport, lattice: np.ndarray, hall: int) -> str:
    """Compare the file's operations with a Hall entry: "yes", "axes" (rotation parts only) or "no"."""
    rotations, translations = hall_operations(hall)
    if len(rotations) != len(report.rotations):
        return "no"
    mine: dict[bytes, list[np.ndarray]] = {}
    for rotation, translation in zip(report.rotations, report.translations, strict=True):
        mine.setdefault(rotation.astype(np.int64).tobytes(), []).append(translation)
    if {r.astype(np.int64).tobytes() for r in rotations} != set(mine):
        return "no"
    tolerance = max(10 * report.symprec, 0.01)
    centred = {tuple(t) for r, t in zip(rotations, translations, strict=True) if (r == np.eye(3)).all()}
    for rotation, translation in zip(rotations, translations, strict=True):
        gaps = np.array(mine[rotation.astype(np.int64).tobytes()]) - translation / DENOMINATOR
        gaps = (gaps - np.rint(gaps)) @ lattice
        if np.linalg.norm(gaps, axis=1).min() > tolerance:
            pure = np.array(mine[np.eye(3, dtype=np.int64).tobytes()])
            found = {tuple((np.rint(t * DENOMINATOR).astype(int) % DENOMINATOR).tolist()) for t in pure}
            return "axes" if found == {tuple(int(x) for x in t) for t in centred} else "no"
    return "yes"


def _polar(group: SpaceGroup) -> float:
    """Return 1.0 where the group leaves some translation free (its origin floats), else 0.0."""
    return float(np.abs(group.rotations.mean(axis=0)).max() > 1e-9)


def normaliser_translations(group: SpaceGroup) -> np.ndarray:
    """Return the translations q (n, 3), twelfths of the primitive cell, for which every (W - 1) q is a lattice vector.

    They move one standard origin to another; along polar directions all twelfths are among them.
    """
    grid = np.stack(np.meshgrid(*[np.arange(12)] * 3, indexing="ij"), -1).reshape(-1, 3)
    moved = (group.rotations - np.eye(3, dtype=int)) @ grid.T
    return grid[(moved % 12 == 0).all(axis=(0, 1))] / 12


def _origin_candidates(shift: np.ndarray, group: SpaceGroup) -> np.ndarray:
    """Return every shift (n, 3) that reaches a standard origin: `shift` plus the translations of the normaliser.

    A translation q normalises the group when (W - 1) q is a lattice vector for every W. Along polar directions the
    origin is free and stays the file's.
    """
    centring = CENTRINGS[centring_letter(group.number)]
    normaliser = normaliser_translations(group)
    polar = group.rotations.mean(axis=0)
    base = shift @ np.linalg.inv(centring)
    found = base + normaliser
    found = found - np.rint(found)
    found = found - found @ polar.T
    neighbours = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), -1).reshape(-1, 3)
    neighbours = neighbours - neighbours @ polar.T
    images = found[:, None] + neighbours[None]
    lengths = np.linalg.norm(images @ centring, axis=-1)
    found = np.take_along_axis(images, lengths.argmin(axis=1)[:, None, None], axis=1)[:, 0]
    return np.unique(np.round(found @ centring, 9), axis=0)


def _distances_to(crystal: Crystal, place: np.ndarray, *, itself: bool = True) -> np.ndarray:
    """Return the distance of every atom from a place (fractional), nearest image, angstrom."""
    cells = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), -1).reshape(-1, 3)
    gaps = crystal.positions - place
    gaps = (gaps - np.rint(gaps))[:, None] + cells
    lengths = np.linalg.norm(gaps @ crystal.lattice, axis=-1)
    if not itself:
        lengths[lengths < 1e-6] = np.inf
    return lengths.min(axis=1)


# --- the sites ----------------------------------------------------------------------------------------------------


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
