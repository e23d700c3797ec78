"""Result files: every noun as plain JSON with a schema name and a version."""

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
