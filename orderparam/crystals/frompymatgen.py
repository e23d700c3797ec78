"""Crystals from pymatgen's structures."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from .crystal import Crystal, right_handed
from .moments import moments_left_out, sites_with_moments

if TYPE_CHECKING:
    from pymatgen.core import Structure


def crystal_from_pymatgen(structure: Structure, *, name: str, notes: tuple[str, ...]) -> Crystal:
    """Return a Crystal with bare species from a pymatgen structure; a note says which moments are left out."""
    species = []
    for site in structure:
        amounts: defaultdict[str, float] = defaultdict(float)
        for specie, amount in site.species.items():
            symbol = getattr(specie, "symbol", str(specie))
            amounts["H" if symbol in {"D", "T"} else symbol] += amount
        if len(amounts) == 1 and abs(sum(amounts.values()) - 1) < 1e-3:
            species.append(next(iter(amounts)))
        else:
            species.append("".join(f"{symbol}{amounts[symbol]:.4g}" for symbol in sorted(amounts)))
    labels = tuple(str(site.label) for site in structure)
    lattice, positions = np.array(structure.lattice.matrix), np.array(structure.frac_coords)
    notes = (*notes, *moments_left_out(sites_with_moments(structure)))
    return right_handed(Crystal(lattice, positions, tuple(species), labels, name, notes))
