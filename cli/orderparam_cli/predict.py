"""`orderparam predict`: structures from order parameters, by what a fit has learned."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import options
from .terminal import print_report, print_warnings, progress, write_json


def predict(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Folder that `orderparam fit --out` wrote.")],
    *,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="LABEL=(...)", help="Components, Ap in angstrom; several times. Others are 0."),
    ] = None,
    path: Annotated[
        int | None, typer.Option(metavar="N", help="N structures from the parent to the child.", show_default=False)
    ] = None,
    out: Annotated[str, typer.Option(metavar="DIR", help="Folder for the structures.")],
    form: Annotated[str, typer.Option("--format", metavar="cif|xyz", help="Of a path: N CIFs, or one XYZ.")] = "cif",
    force: Annotated[bool, typer.Option("--force", help="Write into a folder that holds other files.")] = False,
    json: options.Json = None,
    quiet: options.Quiet = False,
) -> None:
    """Predict the structure that follows from an order parameter: any amplitude, direction or domain.

    Secondary order parameters and strain follow with the powers that symmetry allows; --path shows them beside the
    exact power law and linear interpolation.

    For example:

      orderparam predict runs/LaMnO3 --set 'R4+=(0.3,0.3,0)' --out predicted

      orderparam predict runs/LaMnO3 --path 11 --out path
    """
    import numpy as np

    from orderparam.records.model import load_predictor
    from orderparam.report.prediction import path_report, prediction_report
    from orderparam.report.predictionfolder import check_prediction_folder, write_path, write_prediction

    if bool(settings) == (path is not None):
        raise typer.BadParameter("give either --set or --path", param_hint="--set")
    wanted = {label: np.array(rows) for label, rows in options.parse_settings(settings or []).items()}
    check_prediction_folder(Path(out), form, force=force)
    with progress("reading the fit ...") as show:
        predictor = load_predictor(run)
        show("predicting ...")
        if path is None:
            record = write_prediction(predictor, predictor.components(wanted), Path(out), force=force)
        else:
            record = write_path(predictor, predictor.path(path), Path(out), form, force=force)
    if json:
        write_json(record, json)
    if not quiet and json != "-":
        print_report(prediction_report(record) if path is None else path_report(record))
    print_warnings(record["warnings"])
