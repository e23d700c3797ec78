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

    Example: orderparam fit LaMnO3_221.cif LaMnO3_62.cif --out runs/LaMnO3
    """
    from orderparam.records import fit_record
    from orderparam.report.folder import check_folder, write_folder
    from orderparam.report.summary import fit_report

    pair = options.PairOptions(
        parent, child, symprec, symprec_child, origin, tuple(renaming or ()), max_strain, max_displacement, noise
    )
    options.check_targets([json], [parent, child])
    folder = Path(out) if out else Path("runs") / Path(child).stem
    check_folder(folder, force=force)
    with progress("finding the order parameters ...") as show:
        analysis = pair.analyse()
        show("loading the network ...")
        from orderparam.discovery.discover import discover

        wanted = tuple(label.strip() for label in irreps.split(",") if label.strip()) if irreps else None
        discovery = discover(
            analysis,
            seed=seed,
            carrier=carrier,
            irreps=wanted,
            on_step=lambda stage, step, norm: show(f"{stage}: step {step}, residual {norm:.1e} angstrom"),
        )
        record = fit_record(discovery, command={**asdict(pair), "seed": seed, "carrier": carrier, "irreps": wanted})
        write_folder(discovery, record, folder, force=force)
    if json:
        write_json(record, json)
    if not quiet and json != "-":
        print_report(fit_report(discovery, folder))
    print_warnings(analysis.warnings)
    if not discovery.fit.converged:
        print_warnings([f"the fit did not converge: an atom is {discovery.fit.deviation.max:.1e} angstrom off"])
