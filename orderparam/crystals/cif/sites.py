"""From the listed sites of a CIF to all atoms of the cell, special positions made exact.

Coordinates are rounded: 1/3 is written 0.333. A copy of a site that rounding alone sets apart from it, or that leaves
no room for two atoms, is the site itself; the copies are averaged, x* = mean over S of (W x + w), which puts the site
onto the special position that the operations S leave fixed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from orderparam.crystals.mixtures import FULL, species_text
from orderparam.errors import InvalidInputError

from .operations import Operations

COARSEST = 0.01
"""Rounding of a fractional coordinate is taken to be no worse than this, also where fewer digits are written."""

NO_ROOM = 0.1
"""Two full copies of a site nearer than this (angstrom) are one atom: no atom is its own neighbour."""

FARTHEST = 0.5
"""Copies farther apart than this (angstrom) are two atoms, however coarsely they are written."""

TOO_FULL = 1.02
"""Occupancies that sum to more than this are no rounding; up to here they are scaled to 1, and a note says so."""

NOTED = 0.005
"""A site that moves by more than this (angstrom) onto its special position is named in a note."""


@dataclass(frozen=True, eq=False)
class Site:
    """One row of the list of atom sites.

    Attributes
    ----------
    label : str
    element : str
    position, rounding : (3,)
        Fractional coordinates, and half a unit of the last digit written.
    occupancy : float
    multiplicity : int or None
        As stated, for the conventional cell.
    kind : str
        The type symbol as written: ``Fe3+``.
    """

    label: str
    element: str
    position: np.ndarray
    rounding: np.ndarray
    occupancy: float = 1.0
    multiplicity: int | None = None
    kind: str = ""


@dataclass(frozen=True, eq=False)
class Orbit:
    """All copies of a place in the cell.

    Attributes
    ----------
    positions : (n, 3)
    contents : dict
        Element to occupancy.
    label : str
        Of the first site that stands there.
    shift : float
        By how much that site moved onto its special position, angstrom.
    sites : tuple of Site
    """

    positions: np.ndarray
    contents: dict[str, float]
    label: str
    shift: float
    sites: tuple[Site, ...]

    @property
    def species(self) -> str:
        """One element, or the mixture: ``Ca0.5Sr0.5``."""
        return species_text(self.contents)


class NoRoom(InvalidInputError):  # noqa: N818
    """Atoms that cannot be where the file puts them."""


def expand(sites: Sequence[Site], operations: Operations, lattice: np.ndarray) -> tuple[list[Orbit], list[str]]:
    """Return the orbits of all sites, those on one place merged, and notes.

    Raises
    ------
    NoRoom
        When two atoms would stand on one place.
    """
    every = [_orbit(site, operations, lattice) for site in sites]
    places = _Places(
        np.concatenate([orbit.positions for orbit in every]),
        np.repeat(np.arange(len(every)), [len(orbit.positions) for orbit in every]),
        lattice,
    )
    homes: dict[int, Orbit] = {}
    repeated: defaultdict[int, list[Site]] = defaultdict(list)
    notes = []
    for i, site in enumerate(sites):
        place = places.home_of(every[i], homes)
        if place is None:
            homes[i] = every[i]
            continue
        home, apart, at_base = place
        if site.element in homes[home].contents and not at_base:
            repeated[home].append(site)
        else:
            homes[home] = _merged(homes[home], site)
            if apart > NOTED:
                notes.append(
                    f"{homes[home].label} and {site.label}, {apart:.3f} angstrom apart, are read as one mixed site"
                )
    orbits = list(homes.values())
    repeated = defaultdict(list, {list(homes).index(home): rows for home, rows in repeated.items()})
    notes += _listed_in_full(orbits, repeated)
    for i, orbit in enumerate(orbits):
        total = sum(orbit.contents.values())
        if total > TOO_FULL:
            raise NoRoom(
                f"two atoms stand on one place: their occupancies sum to {total:.4g} at {orbit.label} (expected at "
                "most 1); remove duplicates, or give the occupancies of a mixed site"
            )
        if total > 1 + FULL:
            notes.append(f"the occupancies at {orbit.label} sum to {total:.4g} and are scaled to 1")
        if total > 1:
            orbits[i] = replace(orbit, contents={kind: amount / total for kind, amount in orbit.contents.items()})
    if moved := [orbit for orbit in orbits if orbit.shift > NOTED]:
        shown = ", ".join(f"{orbit.label} by {orbit.shift:.3f}" for orbit in moved[:6])
        more = f" and {len(moved) - 6} more" if len(moved) > 6 else ""
        notes.append(f"rounded coordinates are put onto their special positions: {shown} angstrom{more}")
    return orbits, notes


def _orbit(site: Site, operations: Operations, lattice: np.ndarray) -> Orbit:
    """Return the copies of one site, on its special position."""
    if operations.order == 1:
        return Orbit(site.position[None], {site.element: site.occupancy}, site.label, 0.0, (site,))
    w, t = operations.rotations, operations.translations
    position, stay = site.position, np.zeros(operations.order, bool)
    for _ in range(4):  # the mean over a subset can bring further copies within rounding
        images = w @ position + t
        offsets = images - position
        offsets -= np.rint(offsets)
        stay = _is_same(offsets, w, site, lattice)
        mean = position + offsets[stay].mean(axis=0)
        settled = np.abs(mean - position).max() < 1e-12
        position = mean
        if settled:
            break
    images = w @ position + t
    offsets = images - position
    offsets -= np.rint(offsets)
    fixed = np.abs(offsets).max(axis=1) < 1e-9
    if fixed.sum() < stay.sum():
        raise NoRoom(
            f"the copies of site {site.label} overlap in no consistent way; check its coordinates and the operations"
        )
    position = np.where(np.abs(position - np.rint(position)) < 1e-12, np.rint(position), position)
    shift = position - site.position
    return Orbit(
        _distinct(images, operations.order // int(fixed.sum())),
        {site.element: site.occupancy},
        site.label,
        float(np.linalg.norm(shift @ lattice)),
        (site,),
    )


def _is_same(offsets: np.ndarray, rotations: np.ndarray, site: Site, lattice: np.ndarray) -> np.ndarray:
    """Return which copies are the site itself (n,): apart by rounding alone, or nearer than two atoms can be."""
    distances = np.linalg.norm(offsets @ lattice, axis=1)
    bounds = np.abs(rotations) @ site.rounding + site.rounding
    surely = (np.abs(offsets) <= 0.999 * bounds + 1e-9).all(axis=1) & (distances < FARTHEST)
    perhaps = (np.abs(offsets) <= 1.001 * bounds + 1e-9).all(axis=1) & (distances < FARTHEST)
    perhaps |= distances < NO_ROOM
    copies = perhaps.sum() / surely.sum()
    if copies > 1 and copies * site.occupancy <= 1 + FULL:
        return surely  # a split position: there is room for its copies
    return perhaps


def _distinct(images: np.ndarray, n: int) -> np.ndarray:
    """Return the n distinct points among images, in [0, 1), in the order in which they come."""
    gaps = images[:, None] - images[None]
    same = (np.abs(gaps - np.rint(gaps)) < 1e-8).all(axis=2)
    points = images[np.unique(same.argmax(axis=1))]
    if len(points) != n:
        raise AssertionError(f"an orbit of {len(points)} points where {n} were expected")
    points = points - np.floor(points + 1e-9)
    return np.where(np.abs(points) < 1e-12, 0.0, points)


@dataclass(frozen=True, eq=False)
class _Places:
    """Where all sites of a file stand: positions (n, 3), and the number of the site of each (n,)."""

    positions: np.ndarray
    owners: np.ndarray
    lattice: np.ndarray

    def home_of(self, orbit: Orbit, homes: dict[int, Orbit]) -> tuple[int, float, bool] | None:
        """Return the earlier orbit on which a site stands, how far off (angstrom), and whether where that is listed."""
        indices = np.flatnonzero(np.isin(self.owners, list(homes)))
        gaps = self.positions[indices] - orbit.positions[0]
        gaps -= np.rint(gaps)
        distances = np.linalg.norm(gaps @ self.lattice, axis=1)
        for k in np.argsort(distances, kind="stable"):
            if distances[k] >= FARTHEST:
                break
            home = int(self.owners[indices[k]])
            other = homes[home]
            bounds = orbit.sites[0].rounding + other.sites[0].rounding + 1e-9
            rounded = (np.abs(gaps[k]) <= bounds).all()
            if len(other.positions) == len(orbit.positions) and (rounded or distances[k] < NO_ROOM):
                return home, float(distances[k]), bool(indices[k] == np.flatnonzero(self.owners == home)[0])
        return None


def _merged(orbit: Orbit, site: Site) -> Orbit:
    contents = dict(orbit.contents)
    contents[site.element] = contents.get(site.element, 0.0) + site.occupancy
    return replace(orbit, contents=contents, sites=(*orbit.sites, site))


def _listed_in_full(orbits: list[Orbit], repeated: dict[int, list[Site]]) -> list[str]:
    """Accept files that list every atom of the cell beside the operations; refuse a site that is listed twice."""
    if not repeated:
        return []
    full = all(
        len(repeated.get(i, [])) == (len(orbit.positions) - 1) * len(orbit.sites)
        and {site.kind for site in repeated.get(i, [])} <= {site.kind for site in orbit.sites}
        for i, orbit in enumerate(orbits)
    )
    if not full:
        home, (site, *_) = next(iter(repeated.items()))
        total = orbits[home].contents[site.element] + site.occupancy
        raise NoRoom(
            f"two atoms stand on one place: {orbits[home].label} and {site.label}, whose occupancies sum to "
            f"{total:.4g} (expected at most 1); remove duplicates, or give the occupancies of a mixed site"
        )
    return ["every atom of the cell is listed beside the symmetry operations; each is taken once"]
