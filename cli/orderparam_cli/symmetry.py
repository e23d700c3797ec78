"""`orderparam symmetry`: what spglib says about files, and how it depends on the tolerance."""

from __future__ import annotations

from typing import Annotated

import typer

from . import options
from .terminal import print_report, print_warnings, write_json


def symmetry(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Crystal structures.")],
    *,
    json: options.Json = None,
    quiet: options.Quiet = False,
    setting: options.Setting = None,
    frame: options.Frame = None,
    periodic: options.Periodic = None,
    symprec: Annotated[float, typer.Option(min=1e-8, max=options.LOOSEST, help="Tolerance, angstrom.")] = 1e-3,
) -> None:
    """Report the space group of each FILE, its sites, and how the group changes with the tolerance.

    Of a layer the layer group, too.

    For example:

      orderparam symmetry LaMnO3_221.cif LaMnO3_62.cif --symprec 0.01
    """
    from orderparam.crystals.reading import read_crystal
    from orderparam.records import symmetry_list, symmetry_record
    from orderparam.report.summary import symmetry_report
    from orderparam.spacegroup import report_layer_group, report_symmetry, tolerance_ladder

    options.check_targets([json], files)
    found = []
    for file in files:
        crystal = read_crystal(file, setting=setting, frame=frame, periodic=periodic)
        reports = report_symmetry(crystal, symprec), tolerance_ladder(crystal), report_layer_group(crystal, symprec)
        found.append((crystal, *reports))
    if json:
        records = [symmetry_record(*entry) for entry in found]
        write_json(records[0] if len(records) == 1 else symmetry_list(records), json)
    for entry in found:
        if not quiet and json != "-":
            print_report(symmetry_report(*entry))
        print_warnings(entry[0].notes)
