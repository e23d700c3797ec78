"""`orderparam modes`: the exact order parameters of a pair of structures."""

from __future__ import annotations

from . import options
from .terminal import print_report, print_warnings, progress, write_json


def modes(
    parent: options.ParentFile,
    child: options.ChildFile,
    *,
    json: options.Json = None,
    quiet: options.Quiet = False,
    symprec: options.Symprec = 1e-3,
    symprec_child: options.SymprecChild = 1e-3,
    origin: options.Origin = None,
    renaming: options.Renaming = None,
    max_strain: options.MaxStrain = 0.2,
    max_displacement: options.MaxDisplacement = 2.0,
) -> None:
    """Decompose the distortion of CHILD from PARENT into exact order parameters.

    Says how the child sits in the parent, and lists label, wave vector, direction, amplitude and isotropy subgroup of
    every order parameter, displacements and strain alike, and which of them are primary.

    Example: orderparam modes LaMnO3_221.cif LaMnO3_62.cif --json modes.json
    """
    pair = options.PairOptions(
        parent, child, symprec, symprec_child, origin, tuple(renaming or ()), max_strain, max_displacement
    )
    with progress("finding the order parameters ..."):
        analysis = pair.analyse()
    if json:
        from orderparam.records import modes_record

        write_json(modes_record(analysis), json)
    if not quiet and json != "-":
        from orderparam.report.summary import modes_report

        print_report(modes_report(analysis))
    print_warnings(analysis.warnings)
