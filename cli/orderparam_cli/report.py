"""`orderparam report` and `orderparam demo`: a run as a page and as pictures; the shipped example."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

import typer

from . import options
from .fit import fit
from .terminal import progress, write_page


def report(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Folder that `orderparam fit` wrote.", show_default=False)],
    *,
    html: Annotated[
        str | None, typer.Option("--html", metavar="FILE", help="The page to write.", show_default="RUN.html")
    ] = None,
    pictures: Annotated[
        str | None, typer.Option(metavar="DIR", help="Write every figure as a picture, too (needs kaleido).")
    ] = None,
    suffix: Annotated[str, typer.Option("--format", help="Of the pictures: png, svg or pdf.")] = "svg",
) -> None:
    """Write the page of a run: structures, order parameters, what was learned, and how to repeat it.

    For example:

      orderparam report runs/LaMnO3

      orderparam report runs/LaMnO3 --html LaMnO3.html --pictures figures --format pdf
    """
    from orderparam.report.folder import read_folder
    from orderparam.report.page import fit_page

    folder = Path(run)
    page = html or f"{str(folder).rstrip('/')}.html"
    options.check_targets([page], [])
    if pictures:
        from orderparam.report.figures import check_export

        check_export(f"picture.{suffix}")
    with progress("drawing ..."):
        result, drawing, inputs = read_folder(folder)
        written = fit_page(result, drawing, inputs)
        if pictures:
            from orderparam.report.pictures import write_pictures

            write_pictures(result, drawing, inputs, Path(pictures), suffix)
    write_page(page, written, drawing)


def demo(
    *,
    out: Annotated[str, typer.Option(metavar="DIR", help="Folder for the results.")] = "orderparam-demo",
    quiet: options.Quiet = False,
) -> None:
    """Fit the shipped example, LaMnO3 from cubic to Pnma, and name the page that shows it.

    For example:

      orderparam demo

      orderparam demo --out runs/demo --quiet
    """
    with as_file(files("orderparam") / "data/demo") as place:
        parent, child = (str(place / name) for name in ("LaMnO3_221.cif", "LaMnO3_62.cif"))
        page = f"{out.rstrip('/')}.html"
        fit(parent, [child], out=out, html=page, quiet=quiet)
    typer.echo(f"Open {page} in a browser to see it.")
