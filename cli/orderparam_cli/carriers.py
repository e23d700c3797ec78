"""`orderparam carriers`: which fields on which sites could be the order parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from . import options
from .terminal import command_line, counting, print_report, print_warnings, progress, write_json, write_page

if TYPE_CHECKING:
    from orderparam.discovery.pair import PairSettings


@options.gathers(options.pair_settings)
def carriers(
    parent: options.ParentFile,
    child: options.ChildFile,
    *,
    fit: Annotated[bool, typer.Option("--fit", help="Try each with a network, over several seeds.")] = False,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds --fit takes.")] = 5,
    irreps: Annotated[
        str | None, typer.Option(metavar="LABELS", help="Primary order parameters to hold, such as R4+,M3+.")
    ] = None,
    json: options.Json = None,
    html: options.Page = None,
    quiet: options.Quiet = False,
    reading: PairSettings,
) -> None:
    """Compare all site irreps (every orbit of PARENT, l up to 3, both parities) as carriers of the order parameter.

    For example:

      orderparam carriers LaMnO3_221.cif LaMnO3_62.cif --fit --html carriers.html
    """
    from orderparam.discovery.comparison import compare_carriers, try_carrier
    from orderparam.discovery.pair import analyse_pair
    from orderparam.records import carriers_record
    from orderparam.report.carriers import carriers_report

    options.check_targets([json, html], [parent, child])
    wanted = options.parse_labels(irreps)
    with progress("finding the order parameters ..."):
        analysis = analyse_pair(parent, child, reading)
        compared = compare_carriers(analysis, wanted)
    if fit:
        tried = []
        with counting("trying carriers", len(compared)) as count:
            for number, one in enumerate(compared, 1):
                tried.append(try_carrier(analysis, one, range(seeds), irreps=wanted))
                count(number)
        compared = tuple(tried)
    primaries = wanted or (analysis.primaries.labels if analysis.primaries else ())
    if json:
        write_json(carriers_record(compared, primaries), json)
    if html:
        from orderparam.records import modes_record
        from orderparam.report.page import carriers_page

        record = carriers_record(compared, primaries)
        write_page(html, carriers_page(record, modes_record(analysis), command=command_line()))
    if not quiet and json != "-":
        print_report(carriers_report(compared, primaries))
    print_warnings(analysis.warnings)
