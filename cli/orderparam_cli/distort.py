"""`orderparam distort`: structures from order parameters."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import options
from .terminal import print_warnings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orderparam.crystal import Crystal
    from orderparam.distortion import Distortion


def distort(
    parent: options.ParentFile,
    *,
    settings: Annotated[
        list[str], typer.Option("--set", metavar="LABEL=(...)", help="Components, Ap in angstrom; several times.")
    ],
    strain: Annotated[
        str | None, typer.Option(metavar="XX,YY,ZZ,YZ,XZ,XY", help="Components of U - 1 in the parent's frame.")
    ] = None,
    out: Annotated[str, typer.Option(metavar="FILE|DIR", help="File to write; a folder for a series or a map.")],
    series: Annotated[
        int | None, typer.Option(min=2, metavar="N", help="N amplitudes from 0 to those given.", show_default=False)
    ] = None,
    grid: Annotated[
        str | None, typer.Option(metavar="N,M", help="A map over the amplitudes of two --set.", show_default=False)
    ] = None,
    form: Annotated[str, typer.Option("--format", metavar="cif|vasp|xyz", help="Of a series or map.")] = "cif",
    force: Annotated[bool, typer.Option("--force", help="Write into a folder that holds other files.")] = False,
    quiet: options.Quiet = False,
    symprec: options.Symprec = options.SYMPREC,
    origin: options.Origin = None,
) -> None:
    """Distort PARENT by given order parameters, in the smallest cell; one structure, a series, or a map of two.

    For example:

      orderparam distort SrTiO3_221.cif --set 'R4+=(0.5,0.5,0)' --out tilted.cif

      orderparam distort SrTiO3_221.cif --set 'R4+=(0;0;0.4)' --set 'GM4-=(0,0,0.2)' --grid 5,5 --out map
    """
    from orderparam.crystal import read_crystal
    from orderparam.distort import distort as build
    from orderparam.distort import distort_many, parse_setting
    from orderparam.parent import symmetrise

    frame = symmetrise(read_crystal(parent), symprec, origin=origin)
    given = dict(parse_setting(text) for text in settings)
    tensor = _strain(strain)
    options.check_targets([out], [parent])
    whole = build(frame, given, tensor)
    if series is None and grid is None:
        write_crystal(whole, Path(out))
    else:
        structures = distort_many(frame, given, tensor, _points(given, series, grid))
        _write_many(structures, Path(out), form, force=force)
    if not quiet:
        number, symbol = whole.group.space_group
        typer.echo(
            f"{symbol} ({number}), {whole.supercell.n_atoms} atoms, {whole.supercell.n_cells} primitive cells, "
            f"index {whole.group.index}, largest displacement {whole.lengths.max():.4f} angstrom"
        )
    print_warnings(frame.warnings)


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


def write_crystal(distortion: Distortion, path: Path) -> None:
    """Write one structure in the format that the name says."""
    from orderparam.crystal import crystal_to_cif, crystal_to_poscar
    from orderparam.errors import InvalidInputError
    from orderparam.formats import extended_xyz
    from orderparam.records import write_text

    crystal, name = distortion.crystal(), path.name.lower()
    if name.endswith(".cif"):
        text = crystal_to_cif(crystal, symprec=1e-5)
    elif name.endswith((".vasp", ".poscar")) or name.startswith(("poscar", "contcar")):
        text = crystal_to_poscar(crystal)
    elif name.endswith((".xyz", ".extxyz")):
        text = extended_xyz([crystal], [distortion.displacements])
    else:
        raise InvalidInputError(f"--out {path}: expected a name ending in .cif, .vasp or .xyz")
    write_text(path, text)


def _write_many(
    structures: Iterable[tuple[Crystal, dict[str, float]]], folder: Path, form: str, *, force: bool
) -> None:
    """Write one file per structure, and a CSV that says what each is; energies go into its last column."""
    from orderparam.crystal import crystal_to_cif, crystal_to_poscar
    from orderparam.errors import InvalidInputError
    from orderparam.formats import extended_xyz
    from orderparam.records import write_text
    from orderparam.tables import to_csv

    writers = {"cif": crystal_to_cif, "vasp": crystal_to_poscar, "xyz": lambda c: extended_xyz([c])}
    if form not in writers:
        raise InvalidInputError(f"--format {form}: expected cif, vasp or xyz")
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not force)):
        raise InvalidInputError(f"--out {folder}: holds other files; give a new folder, or --force")
    rows = []
    for number, (crystal, amplitudes) in enumerate(structures):
        name = f"{number:04d}.{form}"
        write_text(folder / name, writers[form](crystal))
        rows.append({"file": name, **amplitudes, "energy": ""})
    write_text(folder / "index.csv", to_csv(rows))
