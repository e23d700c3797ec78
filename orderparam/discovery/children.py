"""Several children read for one parent: every one must be a distortion of it, and says so by name where it is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from orderparam.crystals.crystal import Crystal, rename_species
from orderparam.crystals.layers import is_layer, layer_cell, normal_period
from orderparam.errors import InvalidInputError, OrderParamError
from orderparam.parent import Parent

from .analyse import Analysis, analyse


def analyse_children(
    parent: Parent,
    children: Mapping[str, Crystal],
    *,
    same_volume: bool = False,
    symprec: float = 1e-3,
    max_strain: float = 0.25,
    max_displacement: float = 2.0,
    noise: float | str | None = None,
) -> dict[str, Analysis]:
    """Analyse several children of one parent.

    Parameters
    ----------
    parent : Parent
    children : mapping
        Crystals by name.
    same_volume : bool
        Scale every child to the parent's volume per atom first, layers to its area: for compounds of different size,
        whose volume no order parameter can tell. Amplitudes are then those of the scaled child.
    symprec, max_strain, max_displacement, noise
        As in `analyse`.

    Raises
    ------
    OrderParamError
        When a child is no distortion of the parent (another composition, another parent): its name and the reason.
    """
    found = {}
    for name, crystal in children.items():
        child = _with_volume_of(parent, crystal) if same_volume else crystal
        try:
            found[name] = analyse(
                parent, child, symprec=symprec, max_strain=max_strain, max_displacement=max_displacement, noise=noise
            )
        except OrderParamError as problem:
            raise type(problem)(f"{name} is no child of {parent.crystal.name or 'the parent'}: {problem}") from problem
    return found


def rename_roles(crystals: Mapping[str, Crystal], names: Mapping[str, str]) -> dict[str, Crystal]:
    """Rename elements in several crystals, in each those that it has: ``La=A``, ``Ca=A`` make compounds comparable.

    Raises
    ------
    InvalidInputError
        When none of the crystals has an element, or two elements of one crystal would become the same.
    """
    everywhere = {kind for crystal in crystals.values() for kind in crystal.species}
    missing = sorted(set(names) - everywhere)
    if missing:
        raise InvalidInputError(f"--map: no file has {', '.join(missing)}; there are {', '.join(sorted(everywhere))}")
    renamed = {}
    for name, crystal in crystals.items():
        kinds = set(crystal.species)
        own = {old: new for old, new in names.items() if old in kinds}
        if len({own.get(kind, kind) for kind in kinds}) < len(kinds):
            text = ", ".join(f"{old}={new}" for old, new in own.items())
            raise InvalidInputError(f"--map: in {name} {text} would make one element of two")
        renamed[name] = rename_species(crystal, own)
    return renamed


def _with_volume_of(parent: Parent, crystal: Crystal) -> Crystal:
    """Scale a crystal to the parent's volume per atom, a layer to its area in the plane."""
    if is_layer(parent.crystal) and is_layer(crystal):
        flat = layer_cell(crystal, float(np.linalg.norm(normal_period(parent.crystal))))
        wanted, own = (c.volume / c.n_sites for c in (parent.crystal, flat))
        return replace(flat, lattice=np.sqrt([[wanted / own], [wanted / own], [1]]) * flat.lattice)
    wanted, own = (c.volume / c.n_sites for c in (parent.crystal, crystal))
    return replace(crystal, lattice=float(np.cbrt(wanted / own)) * crystal.lattice)
