"""`orderparam invariants`: the Landau polynomial of irreps, and what follows from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from . import options
from .directions import GroupOrFile, read_parent
from .terminal import print_report, print_warnings, progress, write_json

if TYPE_CHECKING:
    from orderparam.discovery.pair import PairSettings


@options.gathers(options.parent_settings)
def invariants(
    parent: GroupOrFile,
    *,
    irrep: Annotated[
        list[str],
        typer.Option(metavar="LABEL", help="Irrep such as R4+, or SM2@1/3,0,0 on a line; one given twice: two copies."),
    ],
    degree: Annotated[int, typer.Option(help="Highest degree.")] = 4,
    couplings: Annotated[bool, typer.Option(help="List what follows from the irreps.")] = True,
    latex: Annotated[bool, typer.Option("--latex", help="Print polynomials in LaTeX.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Go on although the estimate says that it is too much.")
    ] = False,
    json: options.Json = None,
    quiet: options.Quiet = False,
    reading: PairSettings,
) -> None:
    """List the invariant polynomials of irreps of PARENT: the Landau energy, its conditions, and couplings.

    For example:

      orderparam invariants Pm-3m --irrep R4+ --irrep M3+ --degree 6

      orderparam invariants LaMnO3_221.cif --irrep M3+ --irrep R4+ --degree 4 --json invariants.json
    """
    from orderparam.invariants import landau_expansion
    from orderparam.records import invariants_record
    from orderparam.report.invariants import invariants_report
    from orderparam.symmetry.parentirreps import named_irrep

    frame = read_parent(parent, reading)
    irreps = [named_irrep(frame, label) for label in irrep]
    with progress("finding invariants ..."):
        expansion = landau_expansion(frame, irreps, degree, couplings=couplings, force=force)
    if json:
        write_json(invariants_record(frame, expansion), json)
    if not quiet and json != "-":
        print_report(invariants_report(frame, expansion, latex=latex))
    print_warnings(frame.warnings)
