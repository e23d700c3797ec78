"""`orderparam modes`: the exact order parameters of a pair of structures, or of many."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import options
from .terminal import command_line, counting, print_report, print_warnings, progress, write_json, write_page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orderparam.diffraction import Reflection
    from orderparam.discovery.analyse import Analysis
    from orderparam.discovery.pair import PairSettings


@options.gathers(options.pair_settings)
def modes(
    parent: Annotated[
        str | None,
        typer.Argument(
            metavar="PARENT",
            help="File of the high-symmetry structure.",
            show_default=False,
            callback=options.structure_file,
        ),
    ] = None,
    children: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CHILD...",
            help="One or more distorted structures.",
            show_default=False,
            callback=options.structure_files,
        ),
    ] = None,
    *,
    json: options.Json = None,
    html: options.Page = None,
    csv: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write the modes (one CHILD) or the series (several) as CSV.")
    ] = None,
    write: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE",
            help="Write the symmetrised child: NAME.cif, NAME.iso.cif (with modes, for GSAS-II), NAME.vesta (arrows), "
            "NAME.xyz or NAME.vasp; may be given several times.",
        ),
    ] = None,
    xrd: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write which X-ray line shows which order parameter, as CSV.")
    ] = None,
    pairs: Annotated[
        str | None, typer.Option("--list", metavar="FILE", help="CSV of pairs with the columns parent,child.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes for several children.")] = 1,
    quiet: options.Quiet = False,
    reading: PairSettings,
) -> None:
    """Decompose the distortion of CHILD from PARENT into exact order parameters.

    Says how the child sits in the parent, and lists label, wave vector, direction, amplitude and isotropy subgroup of
    every order parameter, displacements and strain alike, which of them are primary, and the modes one by one. Several
    children (or --list) make a table with one line per structure.

    For example:

      orderparam modes LaMnO3_221.cif LaMnO3_62.cif --json modes.json

      orderparam modes cubic.cif relaxed.vasp --noise auto --write clean.cif

      orderparam modes cubic.cif T*.cif --csv series.csv --jobs 2
    """
    names = _inputs(parent, children, pairs)
    options.check_targets([json, csv, xrd, html, *(write or ())], [*names, *([pairs] if pairs else [])])
    if pairs or len(names) > 2:
        if write or xrd or html:
            raise typer.BadParameter("--write, --xrd and --html take one CHILD", param_hint="--write")
        _series(names, pairs, reading, jobs=jobs, csv=csv, json=json, quiet=quiet)
        return
    with progress("finding the order parameters ..."):
        analysis = options.analyse_files(names[0], names[1], reading)
    if analysis.relation.parent.finite:
        options.check_crystal_options(**{"--xrd": xrd, "--html": html})
    lines = _write_files(analysis, write or (), csv=csv, xrd=xrd)
    if json or html:
        from orderparam.records import modes_record

        record = modes_record(analysis, command={"parent": names[0], "child": names[1], **reading.record()})
        if json:
            write_json(record, json)
        if html:
            from orderparam.report.folder import whole_drawing
            from orderparam.report.page import modes_page

            drawing = whole_drawing(analysis)
            write_page(html, modes_page(record, drawing, command=command_line()), drawing)
    if not quiet and json != "-":
        _print_all(analysis, lines)
    print_warnings(analysis.warnings)


def _write_files(
    analysis: Analysis, write: Sequence[str], *, csv: str | None, xrd: str | None
) -> tuple[Reflection, ...] | None:
    """Write structures and tables; return the X-ray lines where they are wanted."""
    for file in write:
        from orderparam.report.files import write_analysis

        write_analysis(analysis, file)
    if csv:
        from orderparam.records import write_text
        from orderparam.tables import mode_rows, to_csv

        write_text(csv, to_csv(mode_rows(analysis)))
    if not xrd:
        return None
    from orderparam.diffraction import find_reflections, reflection_rows
    from orderparam.records import write_text
    from orderparam.tables import to_csv

    lines = find_reflections(analysis)
    write_text(xrd, to_csv(reflection_rows(lines)))
    return lines


def _print_all(analysis: Analysis, lines: tuple[Reflection, ...] | None) -> None:
    from orderparam.geometry import describe_geometry
    from orderparam.report.geometry import geometry_report
    from orderparam.report.summary import modes_report, reflections_table

    print_report(modes_report(analysis))
    if not analysis.relation.parent.finite:
        print_report(geometry_report(describe_geometry(analysis.relation, analysis.decomposition)))
    if lines is not None:
        print_report(reflections_table(lines))


def _inputs(parent: str | None, children: list[str] | None, pairs: str | None) -> list[str]:
    """Return the files to read from the command line: the parent, then its children."""
    if pairs:
        if parent:
            raise typer.BadParameter("give either PARENT CHILD... or --list FILE", param_hint="--list")
        return []
    if not parent or not children:
        raise typer.BadParameter(
            "expected PARENT and at least one CHILD (or --list FILE)", param_hint="PARENT CHILD..."
        )
    return [parent, *children]


def _series(
    names: list[str],
    pairs: str | None,
    settings: PairSettings,
    *,
    jobs: int,
    csv: str | None,
    json: str | None,
    quiet: bool,
) -> None:
    from orderparam.records import series_record, write_text
    from orderparam.report.summary import series_report
    from orderparam.series import Pair, analyse_series, read_list
    from orderparam.tables import to_csv

    found = read_list(pairs) if pairs else [Pair(names[0], child) for child in names[1:]]
    with counting("analysing", len(found)) as show:
        rows = analyse_series(found, settings, jobs=jobs, on_row=show)
    if csv:
        write_text(csv, to_csv(rows))
    if json:
        write_json(series_record(rows), json)
    if not quiet and json != "-":
        print_report(series_report(rows))
    failed = [row for row in rows if "error" in row]
    print_warnings(f"{Path(row['child']).name}: {row['error']}" for row in failed)
    if len(failed) == len(rows):
        raise typer.Exit(1)
