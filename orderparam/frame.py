"""The frame in which irreps have names: axes of the ISO-IR setting, and a standard origin.

The setting is that of Stokes, Campbell & Cordes, Acta Cryst. A69, 388 (2013). Labels of irreps depend on the origin;
the rule for it stands in `choose_origin`.
"""

from __future__ import annotations

import numpy as np

from .crystals.crystal import Crystal
from .errors import InvalidInputError
from .spacegroup import (
    CENTRINGS,
    DENOMINATOR,
    SpaceGroup,
    SymmetryReport,
    centring_letter,
    hall_entries,
    hall_operations,
    standard_group,
    symbol_of,
)

ORIGIN_TOLERANCE = 0.05
"""An atom this near to the origin (angstrom) stands on it."""


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
        distances = distances_to(crystal, place)
        nearest = int(np.argmin(distances))
        atom = nearest if distances[nearest] < ORIGIN_TOLERANCE else None
        gap = round(float(np.sort(distances_to(crystal, crystal.positions[nearest], itself=False))[0]), 2)
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


def origin_floats(group: SpaceGroup) -> bool:
    """Tell whether the group leaves some translation free."""
    return bool(np.abs(group.rotations.mean(axis=0)).max() > 1e-9)


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


def distances_to(crystal: Crystal, place: np.ndarray, *, itself: bool = True) -> np.ndarray:
    """Return the distance of every atom from a place (fractional), nearest image, angstrom."""
    cells = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), -1).reshape(-1, 3)
    gaps = crystal.positions - place
    gaps = (gaps - np.rint(gaps))[:, None] + cells
    lengths = np.linalg.norm(gaps @ crystal.lattice, axis=-1)
    if not itself:
        lengths[lengths < 1e-6] = np.inf
    return lengths.min(axis=1)
