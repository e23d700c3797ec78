"""Crystals from pymatgen's structures."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from orderparam.errors import InvalidInputError

from .crystal import Crystal, right_handed
from .filetext import text_of
from .frames import Frames, many, one
from .mixtures import species_text
from .moments import moments_left_out, sites_with_moments, stated_moments_left_out

if TYPE_CHECKING:
    from pymatgen.core import Structure

VOLUME = 1e-3
"""Relative difference at most between a volume that a file states and that of its cell."""


def crystal_from_pymatgen(structure: Structure, *, name: str, notes: tuple[str, ...]) -> Crystal:
    """Return a Crystal with bare species from a pymatgen structure; a note says which moments are left out."""
    species = []
    for site in structure:
        amounts: defaultdict[str, float] = defaultdict(float)
        for specie, amount in site.species.items():
            symbol = getattr(specie, "symbol", str(specie))
            amounts["H" if symbol in {"D", "T"} else symbol] += amount
        species.append(species_text(amounts))
    labels = tuple(str(site.label) for site in structure)
    lattice, positions = np.array(structure.lattice.matrix), np.array(structure.frac_coords)
    notes = (*notes, *moments_left_out(sites_with_moments(structure)))
    a, b, c = map(bool, structure.lattice.pbc)
    return right_handed(Crystal(lattice, positions, tuple(species), labels, name, notes, periodic=(a, b, c)))


def looks_like_pymatgen_json(head: str) -> bool:
    """Tell whether a text begins like pymatgen's JSON."""
    return re.match(r"\s*[\[{]", head) is not None and '"@class"' in head


def read_pymatgen_json(path: Path) -> Frames:
    """Return the structures of pymatgen's JSON: one, an entry that holds one, or a list.

    Raises
    ------
    InvalidInputError
        When there is none, or its lattice states another volume than its vectors have.
    """
    data = json.loads(text_of(path))
    entries = data if isinstance(data, list) else [data]
    structures = [_structure_of(entry, path) for entry in entries]
    return many([crystal_from_pymatgen(structure, name=str(path), notes=()) for structure in structures])


def _structure_of(entry: object, path: Path) -> Structure:
    from pymatgen.core import Structure

    if isinstance(entry, dict) and isinstance(entry.get("structure"), dict):
        entry = entry["structure"]
    if not isinstance(entry, dict) or not {"lattice", "sites"} <= set(entry) or not isinstance(entry["lattice"], dict):
        raise InvalidInputError(
            f"{path}: expected a structure of pymatgen with lattice and sites, or a database of ASE"
        )
    structure = Structure.from_dict(entry)
    stated = entry["lattice"].get("volume")
    if isinstance(stated, int | float) and abs(stated / structure.volume - 1) > VOLUME:
        raise InvalidInputError(
            f"{path}: its lattice states the volume {stated:.2f}, its vectors have {structure.volume:.2f}"
        )
    return structure


def looks_like_vasprun(head: str) -> bool:
    """Tell whether a text begins like a vasprun.xml."""
    return "<modeling>" in head


def read_vasprun(path: Path) -> Frames:
    """Return the structures of the ionic steps of a vasprun.xml.

    Raises
    ------
    InvalidInputError
        When a structure has not the number of atoms or the volume that the file states.
    """
    from pymatgen.io.vasp import Vasprun

    run = Vasprun(str(path), parse_dos=False, parse_eigen=False, parse_potcar_file=False, exception_on_bad_xml=False)
    text = text_of(path)
    found = re.search(r"<atominfo>\s*<atoms>\s*(\d+)\s*</atoms>", text)
    volumes = {float(value) for value in re.findall(r'<i name="volume">\s*([\d.]+)\s*</i>', text)}
    incar = run.incar if isinstance(run.incar, dict) else {}
    notes = stated_moments_left_out("MAGMOM", incar.get("MAGMOM", 0.0))

    def checked(structure: Structure) -> Crystal:
        crystal = crystal_from_pymatgen(structure, name=str(path), notes=notes)
        if found and int(found.group(1)) != crystal.n_sites:
            raise InvalidInputError(f"{path}: it states {found.group(1)} atoms and holds {crystal.n_sites}")
        if volumes and min(abs(crystal.volume / volume - 1) for volume in volumes if volume) > VOLUME:
            raise InvalidInputError(f"{path}: no volume that it states is that of its cell, {crystal.volume:.2f}")
        return crystal

    structures = [getattr(step, "structure", step) for step in run.structures] or [run.initial_structure]
    return Frames(len(structures), lambda index: checked(structures[index]))


def read_by_pymatgen(path: Path) -> Frames:
    """Return the crystal of a file whose name pymatgen knows; nothing of it is checked, and a note says so."""
    from pymatgen.core import Structure
    from pymatgen.io.registry import get_structure_format

    handler = get_structure_format(filename=str(path))
    crystal = crystal_from_pymatgen(Structure.from_file(str(path)), name=str(path), notes=())
    said = f"{path.name}: read by pymatgen as {handler.name}; compare formula and cell with the file"
    return one(replace(crystal, notes=(*crystal.notes, said)))


def known_to_pymatgen(path: Path) -> bool:
    """Tell whether pymatgen has a reader for a file of this name."""
    try:
        from pymatgen.io.registry import get_structure_format  # from 2026 on

        handler = get_structure_format(filename=str(path))
    except (ValueError, ImportError):
        return False
    return handler.read_str is not None or handler.read_file is not None
