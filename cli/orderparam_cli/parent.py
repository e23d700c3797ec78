"""`orderparam parent`: what a structure alone could be a distortion of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import options
from .terminal import print_report, print_warnings, progress, write_json

if TYPE_CHECKING:
    from orderparam.pseudosymmetry import Proposal


def parent(
    child: options.ChildFile,
    *,
    write: Annotated[
        str | None, typer.Option(metavar="DIR", help="Write every proposal as CIF into this folder.")
    ] = None,
    modes: Annotated[bool, typer.Option("--modes", help="Decompose the distortion from the first proposal.")] = False,
    noise: options.Noise = None,
    setting: options.Setting = None,
    frame: options.Frame = None,
    periodic: options.Periodic = None,
    json: options.Json = None,
    quiet: options.Quiet = False,
    symprec: Annotated[
        float, typer.Option(min=1e-8, max=options.LOOSEST, help="Tolerance for the child's symmetry, angstrom.")
    ] = 1e-3,
    max_displacement: options.MaxDisplacement = 1.2,
    max_strain: options.MaxStrain = 0.2,
    top: Annotated[int, typer.Option(min=1, metavar="N", help="Show at most N proposals.")] = 8,
) -> None:
    """Propose structures of higher symmetry that CHILD could be a distortion of.

    The best comes first: of those that buy their symmetry with little displacement, the one with the most symmetry;
    then the weak ones. With --modes the first is taken as the parent and its order parameters are found at once
    (--noise as in `orderparam modes`).

    Operations that miss an atom by at most 1.6 angstrom are tried first; where nothing convincing comes of them, all
    that a parent within --max-displacement and --max-strain can have, and what they give is called weak.

    For example:

      orderparam parent LaMnO3_62.cif --write parents --modes
    """
    from orderparam.crystals.reading import read_crystal
    from orderparam.discovery.analyse import analyse
    from orderparam.errors import InvalidInputError
    from orderparam.parent import symmetrise
    from orderparam.pseudosymmetry import Limits, search_parents
    from orderparam.records import parent_record
    from orderparam.report.parent import parent_report
    from orderparam.spacegroup import report_symmetry

    options.check_needed({"--noise": noise}, {"--modes": modes})
    options.check_targets([json], [child])
    if write and Path(write).exists() and not Path(write).is_dir():
        raise InvalidInputError(f"--write {write}: this is a file, not a folder")
    crystal = read_crystal(child, setting=setting, frame=frame, periodic=periodic)
    limits = Limits(max_displacement, max_strain)
    report = report_symmetry(crystal, symprec)
    with progress("looking for parents ..."):
        search = search_parents(crystal, limits, symprec=symprec, limit=top)
        proposals = search.proposals
        analysis = None
        if modes and proposals:
            first = symmetrise(proposals[0].crystal, symprec)
            analysis = analyse(
                first,
                crystal,
                symprec=symprec,
                max_strain=max(max_strain, options.MAX_STRAIN),
                max_displacement=max(max_displacement, options.MAX_DISPLACEMENT),
                noise=noise,
            )
    files = _write(proposals, child, write) if write else []
    if json:
        write_json(parent_record(crystal, report, search, files, analysis), json)
    if not quiet and json != "-":
        print_report(parent_report(crystal, report, search, files))
        if analysis is not None:
            from orderparam.report.summary import modes_report

            print_report(modes_report(analysis))
    print_warnings(analysis.warnings if analysis is not None else crystal.notes)
    near = max((p for p in proposals if p.is_noise), key=lambda p: p.index, default=None)
    if near is not None and report.number == 1 and noise is None:
        print_warnings(
            [
                f"the child is {near.group} within {near.rms:.3f} angstrom rms: if that is noise, "
                "`--modes --noise auto` looks through it"
            ]
        )


def _write(proposals: Sequence[Proposal], child: str, folder: str) -> list[str]:
    """Write every proposal as ``<child>_<rank>_<space group number>.cif``; return the paths."""
    from orderparam.discovery.relate import relate
    from orderparam.formats import child_cif
    from orderparam.records import write_text

    stem = Path(child).name.split(".")[0] or "child"
    names = [f"{stem}_parent{rank}_{p.group.number}" for rank, p in enumerate(proposals, start=1)]
    paths = [Path(folder) / f"{name}.cif" for name in names]
    options.check_targets([str(path) for path in paths], [child])
    for path, proposal, name in zip(paths, proposals, names, strict=True):
        # the parent as a distortion of itself: the writer then knows its operations and its asymmetric unit
        write_text(path, child_cif(relate(proposal.parent, proposal.crystal), title=name))
    return [str(path) for path in paths]
