"""`orderparam fit`: learn the order parameters of a pair of structures and verify them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from . import options
from .terminal import print_report, print_warnings, progress, write_json


def fit(
    parent: options.ParentFile,
    child: options.ChildFile,
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
    force: Annotated[bool, typer.Option("--force", help="Write into a folder that holds other files.")] = False,
    json: options.Json = None,
    quiet: options.Quiet = False,
    noise: options.Noise = None,
    symprec: options.Symprec = options.SYMPREC,
    symprec_child: options.SymprecChild = options.SYMPREC,
    origin: options.Origin = None,
    renaming: options.Renaming = None,
    max_strain: options.MaxStrain = options.MAX_STRAIN,
    max_displacement: options.MaxDisplacement = options.MAX_DISPLACEMENT,
) -> None:
    """Learn the order parameters that carry PARENT into CHILD, and verify that they are necessary.

    Does what `modes` does, then gives an equivariant network the primary order parameters as a field on some sites,
    fits it, and writes result.json, predicted.cif, reference.cif, inputs.json and weights.safetensors.

    For example:

      orderparam fit LaMnO3_221.cif LaMnO3_62.cif --out runs/LaMnO3

      orderparam fit LaMnO3_221.cif LaMnO3_62.cif --constrain subgroup=74 --out runs/Imma
    """
    from orderparam.records import fit_record
    from orderparam.report.fit import fit_report
    from orderparam.report.folder import check_folder, write_folder

    pair = options.PairOptions(
        parent, child, symprec, symprec_child, origin, tuple(renaming or ()), max_strain, max_displacement, noise
    )
    options.check_targets([json], [parent, child])
    options.check_alone(
        no_order_parameter, {"--constrain": constrain, "--free-field": free_field, "--carrier": carrier}
    )
    folder = Path(out) if out else Path("runs") / Path(child).stem
    check_folder(folder, force=force)
    with progress("finding the order parameters ...") as show:
        analysis = pair.analyse()
        show("loading the network ...")
        from orderparam.discovery.discover import discover
        from orderparam.subgroups.constraints import parse_constraints

        wanted = tuple(label.strip() for label in irreps.split(",") if label.strip()) if irreps else None
        asked = {
            "seed": seed,
            "carrier": carrier,
            "irreps": wanted,
            "free_field": free_field,
            "order_parameter": not no_order_parameter,
        }
        discovery = discover(
            analysis,
            constraint=parse_constraints(analysis, constrain) if constrain else None,
            **asked,
            on_step=lambda stage, step, norm: show(f"{stage}: step {step}, residual {norm:.1e} angstrom"),
        )
        record = fit_record(discovery, command={**asdict(pair), **asked, "constrain": constrain})
        write_folder(discovery, record, folder, force=force)
    if json:
        write_json(record, json)
    if not quiet and json != "-":
        print_report(fit_report(discovery, folder))
    print_warnings(analysis.warnings)
    if discovery.constrained is not None:
        print_warnings(discovery.constrained.notes)
    if not discovery.fit.converged:
        print_warnings([f"the fit did not converge: an atom is {discovery.exact_difference:.1e} angstrom off"])
