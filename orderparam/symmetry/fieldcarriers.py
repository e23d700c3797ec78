"""Which atoms can carry an irrep by which kind of field: displacements, occupation, moments, quadrupoles."""

from __future__ import annotations

from itertools import product

from orderparam.o3 import Irrep
from orderparam.parent import Parent

from .carriers import HIGHEST_L, SiteIrrep
from .modes import SiteRepresentation
from .parentirreps import ParentIrrep

DISPLACEMENT = Irrep(1, -1)


def field_carriers(parent: Parent, irrep: ParentIrrep, field: Irrep) -> list[str]:
    """Return the site labels of the orbits on which a field of an O(3) irrep can have a space-group irrep.

    Uniform translations do not count as displacements.

    Examples
    --------
    >>> from orderparam import read_crystal, symmetrise
    >>> from orderparam.symmetry.parentirreps import named_irrep
    >>> parent = symmetrise(read_crystal("structures/perovskite/SrTiO3_221.cif"))
    >>> field_carriers(parent, named_irrep(parent, "R4+"), Irrep.parse("1o"))
    ['O1']
    >>> field_carriers(parent, named_irrep(parent, "R1+"), Irrep.parse("0e"))
    ['Ti1']
    """
    found = []
    for sites in parent.orbit_sites().values():
        representation = SiteIrrep(parent, field, tuple(sites)).representation()
        if representation.multiplicity(irrep):
            found.append(parent.crystal.labels[sites[0]])
    if field == DISPLACEMENT and not irrep.k.any() and found and not _beyond_translations(parent, irrep):
        return []
    return found


def who_could(parent: Parent, irrep: ParentIrrep) -> str:
    """Say by which fields an irrep could be carried that no displacement can carry, lowest degree first."""
    found = []
    for degree, parity in product(range(HIGHEST_L + 1), (1, -1)):
        field = Irrep(degree, parity)
        if field != DISPLACEMENT:
            found += [f"{field} on {label}" for label in field_carriers(parent, irrep, field)]
    return f"a field {' or '.join(found[:3])} could" if found else "no atom can by any field up to l = 3"


def _beyond_translations(parent: Parent, irrep: ParentIrrep) -> bool:
    """Whether displacements other than uniform translations have an irrep at Gamma."""
    everything = SiteRepresentation.on_sites(parent, parent.rotations_cart).multiplicity(irrep)
    return everything > SiteRepresentation.uniform(parent, parent.rotations_cart).multiplicity(irrep)
