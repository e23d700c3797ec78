"""Magnetic moments in files: they are left out, and it is said whose."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from orderparam.wording import counted

if TYPE_CHECKING:
    from pymatgen.core import PeriodicSite, Structure

SMALLEST_MOMENT = 0.01
"""Moments up to this (Bohr magnetons) are those of an atom without one, as calculations leave them."""

NAMED = 6
"""So many sites are named."""

_PROPERTIES = ("magmom", "final_magmom", "magmoms", "initial_magmoms")


def moments_left_out(labels: Iterable[str]) -> tuple[str, ...]:
    """Return the note that the moments of some sites are left out; none where there are no such sites."""
    names = list(dict.fromkeys(labels))
    if not names:
        return ()
    more = f" and {counted(len(names) - NAMED, 'other site')}" if len(names) > NAMED else ""
    return (
        f"magnetic moments (on {', '.join(names[:NAMED])}{more}) are left out: what follows is about the atoms alone",
    )


def sites_with_moments(structure: Structure) -> list[str]:
    """Return the labels of the sites of a pymatgen structure that have a moment, as property or as spin."""
    return [
        _name(site)
        for site in structure
        if any(_size(site.properties.get(name)) > SMALLEST_MOMENT for name in _PROPERTIES)
        or any(_size(getattr(specie, "spin", None)) > SMALLEST_MOMENT for specie in site.species)
    ]


def _name(site: PeriodicSite) -> str:
    """Return the label of a site; its elements where pymatgen made up a label with charges and spins in it."""
    label = str(site.label)
    return label if "," not in label and ":" not in label else "-".join(e.symbol for e in site.species.elements)


def nuclear_cif(path: Path) -> tuple[str, list[str]] | None:
    """Return a magnetic CIF as an ordinary one, and the labels of its moments; None where it holds nothing magnetic.

    The operations are those of the magnetic group without time reversal: pymatgen refuses magnetic structures with
    mixed sites. Incommensurate structures are not touched.
    """
    if not re.search(r"(?i)_atom_site_moment|_space_group[._a-z]*magn", path.read_text(errors="replace")):
        return None
    from pymatgen.io.cif import CifBlock, CifParser

    parser: Any = CifParser(str(path))
    if parser.feature_flags["magcif_incommensurate"] or not parser.feature_flags["magcif"]:
        return None
    texts, labels = [], []
    for block in parser._cif.data.values():
        if "_atom_site_fract_x" not in block.data:
            continue
        operations = [re.sub(r",[^,]*$", "", op.as_xyzt_str()) for op in parser.get_magsymops(block)]
        labels += _labels_of_moments(block.data)
        kept = {name: value for name, value in block.data.items() if not _is_magnetic(name)}
        data = kept | {"_symmetry_equiv_pos_as_xyz": list(dict.fromkeys(operations))}
        loops = [[name for name in loop if name in kept] for loop in block.loops]
        loops = [loop for loop in loops if loop] + [["_symmetry_equiv_pos_as_xyz"]]
        texts.append(str(CifBlock(data, loops, block.header)))
    return "\n\n".join(texts) + "\n", labels


def _is_magnetic(name: str) -> bool:
    """Whether a data name is about moments or about a group: the magnetic operations take that one's place."""
    return (
        re.match(r"(?i)_(atom_site_moment|atom_site_rotation|space_group|symmetry|parent_|\w*magn)", name) is not None
    )


def _labels_of_moments(data: dict[str, Any]) -> list[str]:
    columns = {name.replace(".", "_").lower(): value for name, value in data.items()}
    labels = columns.get("_atom_site_moment_label", [])
    parts = [
        value for name, value in columns.items() if re.match(r"_atom_site_moment_(crystalaxis|cartn)_[xyz]$", name)
    ]
    if not parts:
        return _listed(labels)
    rows = zip(*map(_listed, parts), strict=True)
    return [label for label, row in zip(_listed(labels), rows, strict=True) if max(map(_number, row)) > SMALLEST_MOMENT]


def _listed(value: str | Sequence[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _number(text: str) -> float:
    """Return the size of a number such as ``-3.5(2)``; zero for one that is not known."""
    found = re.match(r"[-+]?[\d.]+", text)
    return abs(float(found.group())) if found else 0.0


def _size(moment: Any) -> float:
    """Return the length of a moment: a number, a vector, or pymatgen's Magmom; zero for none."""
    if moment is None:
        return 0.0
    return float(np.linalg.norm(np.asarray(getattr(moment, "moment", moment), float)))
