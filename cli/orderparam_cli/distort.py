"""`orderparam distort`: structures from order parameters, and their energies as a Landau polynomial."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import options
from .terminal import print_report, print_warnings, progress, write_json

if TYPE_CHECKING:
    from orderparam.discovery.pair import PairSettings
    from orderparam.parent import Parent

MANY_FILES = 5000
"""A series or map of more is asked about."""


@options.gathers(options.parent_settings)
def distort(
    parent: options.ParentFile,
    *,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="LABEL=(...)", help="Components, Ap in angstrom; copies behind |; several times."
        ),
    ] = None,
    strain: Annotated[
        str | None, typer.Option(metavar="XX,YY,ZZ,YZ,XZ,XY", help="Components of U - 1 in the parent's frame.")
    ] = None,
    out: Annotated[
        str | None, typer.Option(metavar="FILE|DIR", help="File to write; a folder for a series or a map.")
    ] = None,
    series: Annotated[
        int | None, typer.Option(min=2, metavar="N", help="N amplitudes from 0 to those given.", show_default=False)
    ] = None,
    grid: Annotated[
        str | None, typer.Option(metavar="N,M", help="A map over the amplitudes of two --set.", show_default=False)
    ] = None,
    form: Annotated[str, typer.Option("--format", metavar="cif|vasp|xyz", help="Of a series or map.")] = "cif",
    energies: Annotated[
        str | None,
        typer.Option(metavar="index.csv", help="Fit the energies filled into the table of a series or map."),
    ] = None,
    degree: Annotated[int, typer.Option(help="Highest degree of the fit.")] = 4,
    force: Annotated[bool, typer.Option("--force", help="Write into a folder that holds other files.")] = False,
    json: options.Json = None,
    quiet: options.Quiet = False,
    reading: PairSettings,
) -> None:
    """Distort PARENT by given order parameters, in the smallest cell; one structure, a series, or a map of two.

    Of several copies of an irrep, one row of components stands for all, mixed as 1, -1.3, 1.6, -1.9 ... (normalised);
    or give one row per copy, with | between them: 'X2+=(0.2;0|0.1;0)'.

    With --energies: read the table of a series or map whose last column holds energies, and fit a Landau polynomial.
    Give the energy of each file as it is; the program divides it by its primitive cells (the column cells).

    For example:

      orderparam distort SrTiO3_221.cif --set 'R4+=(0.5,0.5,0)' --out tilted.cif

      orderparam distort SrTiO3_221.cif --set 'R4+=(0,0,0.4)' --set 'GM4-=(0,0,0.2)' --grid 5,5 --out map

      orderparam distort SrTiO3_221.cif --energies map/index.csv --degree 6
    """
    from orderparam.discovery.pair import read_parent
    from orderparam.errors import InvalidInputError

    options.check_beside("--series", series, {"--grid": grid})
    building = {"--set": settings, "--strain": strain, "--series": series, "--grid": grid, "--out": out}
    options.check_beside("--energies", energies, building)
    if energies is None and not out:
        raise InvalidInputError("distort: expected --out FILE, or --energies index.csv")
    if energies is None and not settings and strain is None:
        raise InvalidInputError("distort: expected --set LABEL=(...) or --strain")
    frame = read_parent(parent, reading)
    read = [parent, *([energies] if energies else [])]
    options.check_targets([out], read, folders=True)
    options.check_targets([json], [*read, *([out] if out else [])])
    if energies is not None:
        _fit(frame, energies, degree, json, quiet=quiet, force=force)
    else:
        choices = {"series": series, "grid": grid, "form": form, "json": json, "quiet": quiet, "force": force}
        _build(frame, settings or [], strain, out=str(out), **choices)
    print_warnings(frame.warnings)


def _build(
    frame: Parent,
    settings: list[str],
    strain: str | None,
    *,
    out: str,
    series: int | None,
    grid: str | None,
    form: str,
    json: str | None,
    quiet: bool,
    force: bool,
) -> None:
    """Write one structure, a series or a map."""
    from orderparam.crystals.crystal import CLOSEST_CONTACT, shortest_contact
    from orderparam.distort import distort as build
    from orderparam.distort import distort_many
    from orderparam.errors import InvalidInputError
    from orderparam.records import distort_record
    from orderparam.report.structures import check_series, write_structure, write_structures

    given = options.parse_settings(settings)
    tensor = _strain(strain)
    whole = build(frame, given, tensor)
    if series is None and grid is None:
        write_structure(whole, Path(out))
        files: list[dict[str, Any]] = [{"file": Path(out).name}]
    else:
        check_series(Path(out), form, force=force)
        points = _points(given, series, grid)
        if len(points) > MANY_FILES and not force:
            raise InvalidInputError(f"--out {out}: these are {len(points)} files; fewer points, or --force for all")
        with progress("writing structures ..."):
            files = write_structures(distort_many(frame, given, tensor, points), Path(out), form, force=force)
    if whole.supercell.n_atoms > 1 and (nearest := shortest_contact(whole.crystal())) < CLOSEST_CONTACT:
        print_warnings([f"atoms come as near to one another as {nearest:.2f} angstrom; no program will read that"])
    if json:
        write_json(distort_record(whole, given, files), json)
    if not quiet and json != "-":
        from orderparam.wording import counted

        number, symbol = whole.group.space_group
        typer.echo(
            f"{symbol} ({number}), {counted(whole.supercell.n_atoms, 'atom')}, "
            f"{counted(whole.supercell.n_cells, 'primitive cell')}, index {whole.group.index}, "
            f"largest displacement {whole.lengths.max():.4f} angstrom"
        )


def _fit(frame: Parent, energies: str, degree: int, json: str | None, *, quiet: bool, force: bool) -> None:
    """Fit the energies of a table by invariants."""
    from orderparam.invariants import fit_energies, landau_expansion, read_energies
    from orderparam.records import invariants_record
    from orderparam.report.invariants import landau_fit_report

    table = read_energies(frame, energies)
    expansion = landau_expansion(frame, table.irreps, degree, couplings=False, force=force)
    fit = fit_energies(expansion.polynomials, table.components, table.energies)
    if json:
        write_json(invariants_record(frame, expansion, fit), json)
    if not quiet and json != "-":
        print_report(landau_fit_report(fit, dict(zip(table.names, table.irreps, strict=True))))
    if table.n_empty:
        print_warnings([f"{table.n_empty} rows of {energies} have no energy and are left out"])


def _strain(text: str | None) -> Any:
    import numpy as np

    from orderparam.errors import InvalidInputError

    if text is None:
        return None
    try:
        xx, yy, zz, yz, xz, xy = (float(v) for v in text.split(","))
    except ValueError:
        raise InvalidInputError(f"--strain {text}: expected six numbers XX,YY,ZZ,YZ,XZ,XY") from None
    return np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])


def _points(given: dict, series: int | None, grid: str | None) -> list[tuple[float, ...]]:
    """Return the factors by which each order parameter (and last the strain) is scaled."""
    import numpy as np

    from orderparam.errors import InvalidInputError

    if series is not None:
        return [(float(s),) * (len(given) + 1) for s in np.linspace(0, 1, series)]
    try:
        n, m = (int(v) for v in (grid or "").split(","))
    except ValueError:
        raise InvalidInputError(f"--grid {grid}: expected two numbers such as 5,5") from None
    if len(given) != 2 or n < 2 or m < 2:
        raise InvalidInputError("--grid: expected two --set and at least 2 x 2 points")
    return [(float(a), float(b), 1.0) for a, b in product(np.linspace(0, 1, n), np.linspace(0, 1, m))]
