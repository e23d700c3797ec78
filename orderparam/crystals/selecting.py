"""A part of a crystal: a framework without its molecules, or one sublattice alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from orderparam.errors import InvalidInputError

from .crystal import Crystal
from .uncertainties import Uncertainties


def check_names(crystals: Sequence[Crystal], *, only: Sequence[str] = (), ignore: Sequence[str] = ()) -> None:
    """Refuse names that crystals to be compared do not have.

    Parameters
    ----------
    crystals : sequence of Crystal
    only, ignore : sequence of str
        Species (``O``, or a mixture as it is printed) or site labels.

    Raises
    ------
    InvalidInputError
        When a name is in none of the crystals, a species of ``only`` is not in all, or an element is named that shares
        its site with others.
    """
    known = [{*crystal.species, *crystal.labels} for crystal in crystals]
    species = {kind for crystal in crystals for kind in crystal.species}
    for option, name in [*(("--only", name) for name in only), *(("--ignore", name) for name in ignore)]:
        if not any(name in names for names in known):
            shared = next((kind for kind in sorted(species) if name in re.findall("[A-Z][a-z]?", kind)), None)
            if shared is not None:
                raise InvalidInputError(
                    f"{option} {name}: it shares a site; name the whole mixture, {option} '{shared}', or the label"
                )
            raise InvalidInputError(
                f"{option} {name}: no such species or site label; "
                + "; ".join(f"{crystal.name or 'one'} has {_kinds(crystal)}" for crystal in crystals)
            )
        for crystal, names in zip(crystals, known, strict=True):
            if option == "--only" and name in species and name not in names:
                raise InvalidInputError(f"--only {name}: {crystal.name} has no {name}; it has {_kinds(crystal)}")


def part_of(crystal: Crystal, *, only: Sequence[str] = (), ignore: Sequence[str] = ()) -> Crystal:
    """Return the atoms named by ``only`` (all, where it is empty) without those of ``ignore``, with a note.

    Raises
    ------
    InvalidInputError
        When no atom is left.
    """
    if not (only or ignore):
        return crystal
    entries = list(zip(crystal.species, crystal.labels, strict=True))
    keep = np.array([(not only or bool({*e} & {*only})) and not {*e} & {*ignore} for e in entries], bool)
    options = " ".join(
        f"{option} {','.join(names)}" for option, names in (("--only", only), ("--ignore", ignore)) if names
    )
    if not keep.any():
        raise InvalidInputError(f"{crystal.name}: no atom is left by {options}; it has {_kinds(crystal)}")
    part = replace(
        crystal,
        uncertainties=_uncertainties_of(crystal, keep),
        positions=crystal.positions[keep],
        species=tuple(kind for (kind, _), kept in zip(entries, keep, strict=True) if kept),
        labels=tuple(label for (_, label), kept in zip(entries, keep, strict=True) if kept),
    )
    left = sorted({*crystal.species} - {*part.species})
    what = f", without {', '.join(left)}" if left else ""
    note = f"{crystal.name}: {keep.sum()} of {crystal.n_sites} atoms are compared{what} ({options})"
    return replace(part, notes=(*crystal.notes, note))


def _uncertainties_of(crystal: Crystal, keep: np.ndarray) -> Uncertainties | None:
    """Return the uncertainties of the listed sites whose atoms are kept."""
    found = crystal.uncertainties
    if found is None:
        return None
    gaps = found.positions[:, None] - crystal.positions
    nearest = np.linalg.norm((gaps - np.rint(gaps)) @ crystal.lattice, axis=2).argmin(axis=1)
    return replace(found, positions=found.positions[keep[nearest]], sigmas=found.sigmas[keep[nearest]])


def _kinds(crystal: Crystal) -> str:
    return ", ".join(sorted({*crystal.species}))
