"""`orderparam subgroups` and `orderparam domains`: what lies between child and parent, and beside the child."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import options
from .terminal import command_line, print_report, print_warnings, progress, write_json, write_page

if TYPE_CHECKING:
    from orderparam.discovery.pair import PairSettings

Write = Annotated[str | None, typer.Option(metavar="DIR", help="Write the structures as CIF.")]


@options.gathers(options.pair_settings)
def subgroups(
    parent: options.ParentFile,
    child: options.ChildFile,
    *,
    write: Write = None,
    json: options.Json = None,
    html: options.Page = None,
    quiet: options.Quiet = False,
    reading: PairSettings,
) -> None:
    """List the groups between CHILD's and PARENT's, and the structure that each would have (a Baernighausen tree).

    For example:

      orderparam subgroups CaTiO3_221.cif CaTiO3_62.cif --write intermediate

      orderparam subgroups CaTiO3_221.cif CaTiO3_62.cif --html tree.html
    """
    from orderparam.discovery.pair import analyse_pair
    from orderparam.records import subgroups_record
    from orderparam.report.subgroups import subgroups_report, write_nodes
    from orderparam.subgroups import subgroup_graph

    options.check_targets([json, html], [parent, child])
    with progress("finding the order parameters ...") as show:
        analysis = analyse_pair(parent, child, reading)
        graph = subgroup_graph(analysis, on_step=lambda n: show(f"{n} groups ..."))
    if write:
        write_nodes(analysis, graph, Path(write))
    if json:
        write_json(subgroups_record(analysis, graph), json)
    if html:
        from orderparam.records import subgroups_drawing
        from orderparam.report.page import subgroups_page

        record, drawing = subgroups_record(analysis, graph), subgroups_drawing(analysis, graph)
        write_page(html, subgroups_page(record, drawing, command=command_line()), drawing)
    if not quiet and json != "-":
        print_report(subgroups_report(graph))
    print_warnings(analysis.warnings)


@options.gathers(options.pair_settings)
def domains(
    parent: options.ParentFile,
    child: options.ChildFile,
    *,
    write: Write = None,
    json: options.Json = None,
    html: options.Page = None,
    quiet: options.Quiet = False,
    reading: PairSettings,
) -> None:
    """List the symmetry-equivalent states of CHILD and what differs: rotation, shift, order parameters, strain.

    For example:

      orderparam domains SrTiO3_221.cif SrTiO3_140.cif --write states
    """
    from orderparam.discovery.pair import analyse_pair
    from orderparam.records import domains_record
    from orderparam.report.domains import domains_report, write_domains
    from orderparam.subgroups import find_domains

    options.check_targets([json, html], [parent, child])
    with progress("finding the domains ..."):
        analysis = analyse_pair(parent, child, reading)
        found = find_domains(analysis)
    if write:
        write_domains(found, Path(write))
    if json:
        write_json(domains_record(analysis, found), json)
    if html:
        from orderparam.records import domains_drawing
        from orderparam.report.page import domains_page

        record, drawing = domains_record(analysis, found), domains_drawing(analysis, found)
        write_page(html, domains_page(record, drawing, command=command_line()), drawing)
    if not quiet and json != "-":
        print_report(domains_report(found, [m.label for m in analysis.primary_members if not m.is_strain]))
    print_warnings(analysis.warnings)
