"""`orderparam fit`: learn the order parameters of a pair of structures and verify them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import options
from .terminal import command_line, print_report, print_warnings, progress, write_json, write_page

if TYPE_CHECKING:
    from orderparam.discovery.pair import PairSettings


@options.gathers(options.pair_settings)
def fit(
    parent: options.ParentFile,
    children: Annotated[
        list[str],
        typer.Argument(
            metavar="CHILD...",
            help="The distorted structure, or several for one network.",
            callback=options.structure_files,
        ),
    ],
    *,
    out: Annotated[
        str | None, typer.Option(metavar="DIR", help="Folder for the results.", show_default="runs/NAME OF CHILD")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the network's weights; same seed, same result.")] = 0,
    carrier: Annotated[
        str | None, typer.Option(metavar="SITE:IRREP", help="Site irrep to learn, such as Mn:1e or O2:1o.")
    ] = None,
    irreps: Annotated[
        str | None, typer.Option(metavar="LABELS", help="Primary order parameters to use, such as R4+,M3+.")
    ] = None,
    constrain: options.Constrain = None,
    free_field: Annotated[
        bool, typer.Option("--free-field", help="Let the input be any field of its kind, not the primaries alone.")
    ] = False,
    no_order_parameter: Annotated[
        bool, typer.Option("--no-order-parameter", help="Give the network nothing that breaks symmetry: the floor.")
    ] = False,
    ridge: Annotated[
        float, typer.Option(min=0.0, help="Several children: smooth rather than meet them, such as 1e-4.")
    ] = 0.0,
    same_volume: Annotated[
        bool, typer.Option("--same-volume", help="Several children: scale each to the parent's volume first.")
    ] = False,
    leave_one_out: Annotated[
        bool, typer.Option(help="Several children: predict each from its order parameters by the others.")
    ] = True,
    force: Annotated[bool, typer.Option("--force", help="Write into a folder that holds other files.")] = False,
    json: options.Json = None,
    html: options.Page = None,
    quiet: options.Quiet = False,
    reading: PairSettings,
) -> None:
    """Learn the order parameters that carry PARENT into CHILD, and verify that they are necessary.

    Does what `modes` does, then gives an equivariant network the primary order parameters as a field on some sites,
    fits it, and writes a folder: result.json, the structures predicted.cif and reference.cif, the learned inputs, the
    weights, and what `predict` and `report` read. Molecules and other finite sets of points (both files .xyz) are
    treated by their point groups, and written as .xyz.

    Several children of one parent (phases, tilt systems; with --map La=A --map Ca=A also compounds on the same sites)
    are fitted by one network whose inputs are set to their exact order parameters; each is also predicted from its
    order parameters by what the others taught, beside linear modes and power law.

    For example:

      orderparam fit LaMnO3_221.cif LaMnO3_62.cif --out runs/LaMnO3

      orderparam fit LaMnO3_221.cif LaMnO3_62.cif --html LaMnO3.html

      orderparam fit LaMnO3_221.cif LaMnO3_62.cif --constrain subgroup=74 --out runs/Imma

      orderparam fit cubic.cif tilted1.cif tilted2.cif tilted3.cif --out runs/tilts

      orderparam fit square.xyz rectangle.xyz --out runs/rectangle
    """
    wanted = options.parse_labels(irreps)
    if len(children) > 1:
        if constrain or free_field or no_order_parameter or html:
            text = "--constrain, --free-field, --no-order-parameter and --html take one CHILD"
            raise typer.BadParameter(text, param_hint="CHILD...")
        from .family import FamilyOptions, fit_many

        many = FamilyOptions(
            parent=parent,
            children=tuple(children),
            seed=seed,
            carrier=carrier,
            irreps=wanted,
            ridge=ridge,
            same_volume=same_volume,
            leave_one_out=leave_one_out,
            reading=reading,
        )
        fit_many(many, out=out, force=force, json=json, quiet=quiet)
        return
    if ridge or same_volume:
        raise typer.BadParameter("--ridge and --same-volume are for several children", param_hint="CHILD...")
    child = children[0]
    options.check_targets([json, html], [parent, child])
    options.check_alone(
        no_order_parameter, {"--constrain": constrain, "--free-field": free_field, "--carrier": carrier}
    )
    asked = {
        "seed": seed,
        "carrier": carrier,
        "irreps": wanted,
        "free_field": free_field,
        "order_parameter": not no_order_parameter,
    }
    folder = Path(out) if out else Path("runs") / Path(child).stem
    _fit_one((parent, child), reading, asked, constrain, folder, force=force, json=json, html=html, quiet=quiet)


def _fit_one(
    files: tuple[str, str],
    reading: PairSettings,
    asked: dict[str, Any],
    constrain: list[str] | None,
    folder: Path,
    *,
    force: bool,
    json: str | None,
    html: str | None,
    quiet: bool,
) -> None:
    """Fit one child, and write and print what comes out; `asked` are options of `discover`."""
    from orderparam.records import fit_record
    from orderparam.report.fit import fit_report
    from orderparam.report.folder import check_folder, inputs_record, whole_drawing, write_folder

    check_folder(folder, force=force)
    with progress("finding the order parameters ...") as show:
        analysis = options.analyse_files(*files, reading)
        if analysis.relation.parent.finite:
            only = {"--constrain": constrain, "--free-field": asked["free_field"], "--html": html}
            options.check_crystal_options(**only)
        show("loading the network ...")
        from orderparam.discovery.discover import discover
        from orderparam.subgroups.constraints import parse_constraints

        discovery = discover(
            analysis,
            constraint=parse_constraints(analysis, constrain) if constrain else None,
            **asked,
            on_step=lambda stage, step, norm: show(f"{stage}: step {step}, residual {norm:.1e} angstrom"),
        )
        record = fit_record(
            discovery,
            command={"parent": files[0], "child": files[1], **reading.record(), **asked, "constrain": constrain},
        )
        show("writing ...")
        drawing = whole_drawing(analysis)
        write_folder(discovery, record, folder, drawing=drawing, force=force)
        if html:
            from orderparam.report.page import fit_page

            write_page(html, fit_page(record, drawing, inputs_record(discovery), command=command_line()), drawing)
    if json:
        write_json(record, json)
    if not quiet and json != "-":
        print_report(fit_report(discovery, folder))
    print_warnings([*analysis.warnings, *discovery.warnings])
