"""Result files: every noun as plain JSON with a schema name and a version.

Names are loaded when they are used: a record draws in all that it describes.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .carriers import carriers_record
    from .directions import directions_record, irreps_record, solutions_record
    from .distort import distort_record
    from .drawing import (
        detail_record,
        directions_drawing,
        domains_drawing,
        drawing_record,
        subgroups_drawing,
    )
    from .family import family_record
    from .files import VERSION, check_writable, to_json, versions, write_text, write_texts
    from .fit import fit_record
    from .invariants import invariants_record, landau_fit_record
    from .modes import correspondence_record, modes_record, noise_record, series_record
    from .parent import parent_record
    from .subgroups import domains_record, subgroups_record
    from .symmetry import symmetry_list, symmetry_record

__all__ = [
    "VERSION",
    "carriers_record",
    "check_writable",
    "correspondence_record",
    "detail_record",
    "directions_drawing",
    "directions_record",
    "distort_record",
    "domains_drawing",
    "domains_record",
    "drawing_record",
    "family_record",
    "fit_record",
    "invariants_record",
    "irreps_record",
    "landau_fit_record",
    "modes_record",
    "noise_record",
    "parent_record",
    "series_record",
    "solutions_record",
    "subgroups_drawing",
    "subgroups_record",
    "symmetry_list",
    "symmetry_record",
    "to_json",
    "versions",
    "write_text",
    "write_texts",
]

_HOMES = {
    "VERSION": "files",
    "carriers_record": "carriers",
    "check_writable": "files",
    "correspondence_record": "modes",
    "detail_record": "drawing",
    "directions_drawing": "drawing",
    "directions_record": "directions",
    "distort_record": "distort",
    "domains_drawing": "drawing",
    "domains_record": "subgroups",
    "drawing_record": "drawing",
    "family_record": "family",
    "fit_record": "fit",
    "invariants_record": "invariants",
    "irreps_record": "directions",
    "landau_fit_record": "invariants",
    "modes_record": "modes",
    "noise_record": "modes",
    "parent_record": "parent",
    "series_record": "modes",
    "solutions_record": "directions",
    "subgroups_drawing": "drawing",
    "subgroups_record": "subgroups",
    "symmetry_list": "symmetry",
    "symmetry_record": "symmetry",
    "to_json": "files",
    "versions": "files",
    "write_text": "files",
    "write_texts": "files",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
