"""Carriers: the site irreps that can hold the primary order parameters."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from orderparam.errors import InvalidInputError
from orderparam.o3 import Irrep, wigner_d
from orderparam.parent import Parent
from orderparam.supercell import Supercell

from .modes import ModeBasis, SiteRepresentation, expand
from .orderparameter import Decomposition
from .parentirreps import ParentIrrep
from .primary import PrimarySet

HIGHEST_L = 3
_FIRST_CHOICE = {"1o", "1e", "2e", "0e"}


@dataclass(frozen=True, eq=False)
class SiteIrrep:
    """An irrep of O(3) on one crystallographic orbit of the parent, or on the crystal as a whole.

    Attributes
    ----------
    parent : Parent
    irrep : Irrep
        Of O(3), such as 1e.
    sites : tuple of int
        The orbit, sites of the primitive cell; empty for a uniform field of the whole crystal, felt by every atom.
    """

    parent: Parent
    irrep: Irrep
    sites: tuple[int, ...]

    @property
    def element(self) -> str:
        """Species of the orbit, ``all`` for a uniform field."""
        return self.parent.crystal.species[self.sites[0]] if self.sites else "all"

    @property
    def site(self) -> str:
        """Label of the orbit, ``all`` for a uniform field."""
        return self.parent.crystal.labels[self.sites[0]] if self.sites else "all"

    @property
    def name(self) -> str:
        """Element (or the label, where an element has several orbits) and irrep: ``Mn:1e``."""
        orbits = {self.parent.crystal.labels[o] for o in self.parent.orbit_sites()}
        same = [label for label in orbits if self._element_of(label) == self.element]
        return f"{self.site if len(same) > 1 else self.element}:{self.irrep}"

    def _element_of(self, label: str) -> str:
        return self.parent.crystal.species[self.parent.crystal.labels.index(label)]

    @property
    def components_per_formula_unit(self) -> int:
        """Numbers that the carrier adds per formula unit of the parent."""
        return self.irrep.dim * self.sites_per_formula_unit

    @property
    def sites_per_formula_unit(self) -> int:
        """Number of its sites per formula unit; a finite set of points is one unit."""
        if not self.sites:
            return 1
        if self.parent.finite:
            return len(self.sites)
        species = self.parent.crystal.species
        units = np.gcd.reduce([species.count(kind) for kind in set(species)])
        return max(1, len(self.sites) // int(units))

    def representation(self) -> SiteRepresentation:
        """Return how the parent's operations act on the field."""
        matrices = wigner_d(self.irrep, self.parent.rotations_cart)
        if not self.sites:
            return SiteRepresentation.uniform(self.parent, matrices)
        return SiteRepresentation.on_sites(self.parent, matrices, list(self.sites))

    def holds(self, irrep: ParentIrrep) -> bool:
        """Whether the field contains a space-group irrep."""
        if not self.sites and irrep.k.any():
            return False
        return self.representation().multiplicity(irrep) > 0

    def field(self, basis: ModeBasis, components: np.ndarray, supercell: Supercell) -> np.ndarray:
        """Return the field (n_atoms, 2 l + 1) on all atoms of components (copies, dimension); zero off the carrier."""
        own = basis.fields(components)
        if not self.sites:
            return np.repeat(own[:, 0].sum(axis=0).real[None], supercell.n_atoms, axis=0)
        coefficients = np.zeros((len(own), self.parent.crystal.n_sites, self.irrep.dim), complex)
        coefficients[:, list(self.sites)] = own
        return supercell.synthesise(coefficients, basis.k)

    def components(self, basis: ModeBasis, values: np.ndarray, supercell: Supercell) -> np.ndarray:
        """Return the components (copies, dimension) of a field (n_atoms, 2 l + 1) on all atoms; inverts `field`."""
        if not self.sites:
            return basis.components(values.mean(axis=0)[None, None])
        return basis.components(supercell.fourier(values, basis.k)[:, list(self.sites)])

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, eq=False)
class Carrier:
    """One or several site irreps that together hold all primary order parameters.

    Attributes
    ----------
    members : tuple of SiteIrrep
    holds : tuple of tuple of str
        Target irreps that each member holds.
    share_held : float
        Share of the symmetry-breaking squared displacement that the irreps held make up.
    tied : bool
        Whether the first three rules of preference cannot tell it from the chosen one.
    """

    members: tuple[SiteIrrep, ...]
    holds: tuple[tuple[str, ...], ...]
    share_held: float
    tied: bool = False

    @property
    def name(self) -> str:
        """Names of the members."""
        return " + ".join(member.name for member in self.members)

    @property
    def components_per_formula_unit(self) -> int:
        """Numbers that it adds per formula unit."""
        return sum(member.components_per_formula_unit for member in self.members)

    def __str__(self) -> str:
        return self.name


def site_irreps(parent: Parent, *, uniform: bool = False) -> list[SiteIrrep]:
    """Return every irrep of O(3) up to l = 3 on every orbit, or as a field of the whole crystal."""
    irreps = [Irrep(degree, parity) for degree in range(HIGHEST_L + 1) for parity in (1, -1)]
    if uniform:
        return [SiteIrrep(parent, irrep, ()) for irrep in irreps]
    return [SiteIrrep(parent, irrep, tuple(orbit)) for orbit in parent.orbit_sites().values() for irrep in irreps]


def find_carriers(decomposition: Decomposition, primaries: PrimarySet) -> tuple[Carrier, ...]:
    """Return the carriers that hold all primary order parameters, the preferred one first.

    Single site irreps and pairs compete. Order of preference: 1o, 1e, 2e and 0e before 0o, 2o and l = 3; sites per
    formula unit times max(2 l + 1, 3), summed, l >= 1 before 0; then those that only break ties: share held,
    displacement of the orbit in the primary order parameters, |l - 1|, and the shorter distance to the next atom.
    Pairs are listed only where they are cheaper than every single carrier. Where no site can hold a strain, a uniform
    field of the whole crystal does. In a finite set fields that all points share compete too, and only cost counts.
    """
    parent = decomposition.distortion.supercell.parent
    strain_only = all(m.is_strain for m in primaries.members)
    candidates = [*site_irreps(parent), *(site_irreps(parent, uniform=True) if parent.finite else [])]
    wanted = [m.order_parameter.irrep for m in primaries.members]
    targets = [o.irrep for o in (decomposition.strain if strain_only else decomposition.displacive) if not o.is_zero]
    shares = decomposition.breaking_share
    movement = _movement(decomposition, primaries)
    held = {id(s): irreps_held(s, [*targets, *wanted]) for s in candidates}
    singles = [(s,) for s in candidates if all(w.label in held[id(s)] for w in wanted)]
    if strain_only and not singles:
        uniform = site_irreps(parent, uniform=True)
        held |= {id(s): irreps_held(s, [*targets, *wanted]) for s in uniform}
        singles = [(s,) for s in uniform if all(w.label in held[id(s)] for w in wanted)]
    partial = [s for s in candidates if any(w.label in held[id(s)] for w in wanted) and len(wanted) > 1]
    cheapest = min((_rank(single, movement)[:2] for single in singles), default=None)
    pairs = [
        pair
        for pair in combinations(partial, 2)
        if pair not in singles
        and all(any(w.label in held[id(s)] for s in pair) for w in wanted)
        and not any((s,) in singles for s in pair)
        and (cheapest is None or _rank(pair, movement)[:2] < cheapest)
    ]
    found = []
    for members in [*singles, *pairs]:
        holds = tuple(tuple(sorted(held[id(s)])) for s in members)
        share = sum(shares.get(label, 0.0) for label in set().union(*holds))
        found.append(Carrier(members, holds, float(share)))
    if not found:
        raise InvalidInputError(
            f"no site irrep up to l = {HIGHEST_L} holds the primary order parameters "
            f"{', '.join(w.label for w in wanted)}; choose others with --irreps"
        )

    def key(carrier: Carrier) -> tuple[object, ...]:
        return (*_rank(carrier.members, movement)[:2], *_tie_break(carrier, movement))

    found.sort(key=key)
    first = _rank(found[0].members, movement)[:2]
    alike = [_rank(c.members, movement)[:2] == first for c in found]
    return tuple(
        Carrier(c.members, c.holds, c.share_held, same and sum(alike) > 1) for c, same in zip(found, alike, strict=True)
    )


def irreps_held(carrier: SiteIrrep, irreps: list[ParentIrrep]) -> set[str]:
    """Return the labels, among some irreps, that a site irrep holds."""
    representation = carrier.representation()
    found = set()
    for irrep in irreps:
        if (carrier.sites or not irrep.k.any()) and representation.multiplicity(irrep):
            found.add(irrep.label)
    return found


def _rank(members: tuple[SiteIrrep, ...], movement: dict[int, float]) -> tuple[object, ...]:
    """Return the deciding part of the order of preference: class of irrep, then cost."""
    del movement
    second_choice = any(str(m.irrep) not in _FIRST_CHOICE and not m.parent.finite for m in members)
    cost = sum(m.sites_per_formula_unit * max(m.irrep.dim, 3) for m in members)
    return (second_choice, (cost, any(m.irrep.l == 0 for m in members)))


def _tie_break(carrier: Carrier, movement: dict[int, float]) -> tuple[object, ...]:
    """Return the rest of the order of preference."""
    total = sum(movement.values()) or 1.0
    moved = sum(movement.get(m.sites[0], 0.0) for m in carrier.members if m.sites) / total
    vector = [m.irrep for m in carrier.members if m.irrep.l == 1]
    rotates = any(i.parity == 1 for i in vector)
    # displacements as carriers where the orbit itself moves, pseudovectors where its surroundings turn
    mismatch = bool(vector) and (rotates == (moved >= 0.2))
    gap = min((_gap(m.parent, m.sites[0]) for m in carrier.members if m.sites), default=0.0)
    return (
        -round(carrier.share_held, 2),
        mismatch,
        -round(moved, 2),
        sum(abs(m.irrep.l - 1) for m in carrier.members),
        round(gap, 2),
        rotates,
        carrier.name,
    )


def _gap(parent: Parent, site: int) -> float:
    """Return the distance from a site to the next atom, angstrom."""
    cells = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), -1).reshape(-1, 3)
    gaps = (parent.crystal.positions - parent.crystal.positions[site])[:, None] + cells
    lengths = np.linalg.norm(gaps @ parent.lattice, axis=-1)
    return float(lengths[lengths > 1e-6].min())


def _movement(decomposition: Decomposition, primaries: PrimarySet) -> dict[int, float]:
    """Return the squared displacement per orbit (keyed by first site) in the primary order parameters.

    Per primitive cell, since the primaries need not come from one child.
    """
    movement = dict.fromkeys(decomposition.distortion.supercell.parent.orbit_sites(), 0.0)
    for member in primaries.members:
        if member.is_strain:
            continue
        supercell = member.order_parameter.supercell
        squares = (expand(member.order_parameter.basis, supercell, member.components) ** 2).sum(axis=1)
        for orbit, sites in supercell.parent.orbit_sites().items():
            movement[orbit] += float(squares[np.isin(supercell.sites, sites)].sum()) / supercell.n_cells
    return movement


def choose_carrier(decomposition: Decomposition, primaries: PrimarySet, name: str) -> Carrier:
    """Return the carrier that the user names, such as ``Mn:1e`` or ``Nb:1e+Nb:1o``.

    Raises
    ------
    InvalidInputError
        When the name is unknown or the carrier cannot hold the primaries; the valid ones are listed.
    """
    parent = decomposition.distortion.supercell.parent
    members = tuple(parse_site_irrep(parent, part.strip()) for part in name.split("+"))
    wanted = [m.order_parameter.irrep for m in primaries.members]
    targets = [o.irrep for o in (*decomposition.displacive, *decomposition.strain) if not o.is_zero]
    holds = tuple(tuple(sorted(irreps_held(m, [*targets, *wanted]))) for m in members)
    missing = [w.label for w in wanted if not any(w.label in held for held in holds)]
    if missing:
        able = ", ".join(dict.fromkeys(c.name for c in find_carriers(decomposition, primaries)))
        raise InvalidInputError(f"--carrier {name} cannot hold {', '.join(missing)}; these can: {able}")
    share = sum(decomposition.breaking_share.get(label, 0.0) for label in set().union(*map(set, holds)))
    return Carrier(members, holds, float(share))


def parse_site_irrep(parent: Parent, name: str, *, option: str = "--carrier") -> SiteIrrep:
    """Return the site irrep of a name such as ``Mn:1e``, ``O2:1o`` or ``all:2e``.

    Raises
    ------
    InvalidInputError
        Naming the option of the command line that it came from.
    """
    species, labels = parent.crystal.species, parent.crystal.labels
    orbits = parent.orbit_sites()
    valid = sorted({species[o] for o in orbits} | {labels[o] for o in orbits} | {"all"})
    place, _, kind = name.partition(":")
    try:
        irrep = Irrep.parse(kind)
    except ValueError:
        irrep = None
    if irrep is None or irrep.l > HIGHEST_L or place not in valid:
        raise InvalidInputError(
            f"{option} {name}: expected SITE:IRREP such as {valid[0]}:1e, with a site among {', '.join(valid)} and an "
            f"irrep among {', '.join(str(Irrep(degree, p)) for degree in range(HIGHEST_L + 1) for p in (1, -1))}"
        )
    if place == "all":
        return SiteIrrep(parent, irrep, ())
    matching = [sites for o, sites in orbits.items() if labels[o] == place] or [
        sites for o, sites in orbits.items() if species[o] == place
    ]
    if len(matching) > 1:
        names = ", ".join(sorted({labels[s[0]] for s in matching}))
        raise InvalidInputError(f"{option} {name}: {place} has several orbits; name one of {names}")
    return SiteIrrep(parent, irrep, tuple(matching[0]))
