"""`orderparam directions` and `orderparam irreps`: isotropy subgroups, and what there is to break a symmetry with."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import options
from .terminal import command_line, counting, print_report, print_warnings, progress, write_json, write_page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orderparam.discovery.pair import PairSettings
    from orderparam.parent import Parent
    from orderparam.symmetry.parentirreps import ParentIrrep

GroupOrFile = Annotated[
    str,
    typer.Argument(
        metavar="PARENT",
        help="File of a structure, or a space group by number or symbol: 221, Pm-3m; of a symbol the type counts, not "
        "the setting.",
        show_default=False,
    ),
]


AMPLITUDE = 0.5
"""Ap of structures written, angstrom."""


@options.gathers(options.parent_settings)
def directions(
    parent: GroupOrFile,
    *,
    irrep: Annotated[
        list[str] | None, typer.Option(metavar="LABEL", help="Irrep such as R4+; several are coupled.")
    ] = None,
    k: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="All irreps at a special point such as R.")
    ] = None,
    write: Annotated[str | None, typer.Option(metavar="DIR", help="Write one CIF per direction.")] = None,
    amplitude: Annotated[
        float | None, typer.Option(min=0.0, help="Ap of the structures written, angstrom.", show_default="0.5")
    ] = None,
    letters: Annotated[
        str | None, typer.Option(metavar="A,B,...", help="Ratio of the free letters.", show_default="1,0.618,0.382 ...")
    ] = None,
    orbit: Annotated[
        list[str] | None,
        typer.Option(metavar="SITE", help="Move only this site of the parent, such as O1; several times."),
    ] = None,
    json: options.Json = None,
    html: options.Page = None,
    quiet: options.Quiet = False,
    reading: PairSettings,
) -> None:
    """List the order-parameter directions of irreps of PARENT with their isotropy subgroups.

    For one irrep (--irrep), several coupled ones (--irrep twice), those at a k point (--k) or at all special points.
    Several copies of an irrep are mixed as 1, -1.3, 1.6, -1.9 ... in the structures written.

    For example:

      orderparam directions Pm-3m --irrep R4+ --irrep M3+

      orderparam directions LaMnO3_221.cif --k M --write distorted --amplitude 0.3 --orbit O1
    """
    from orderparam.distort import Pattern
    from orderparam.records import directions_record
    from orderparam.report.directions import check_can_be_written, directions_report, write_directions
    from orderparam.symmetry.strata import find_directions

    options.check_beside("--irrep", irrep, {"--k": k})
    drawn = {"--amplitude": amplitude, "--letters": letters, "--orbit": orbit}
    options.check_needed(drawn, {"--write": write, "--html": html})
    frame = read_parent(parent, reading)
    options.check_targets([json, html], [parent])
    sets = _sets(frame, irrep, k)
    pattern = Pattern(AMPLITUDE if amplitude is None else amplitude, _letters(letters), tuple(orbit or ()))
    if write:
        check_can_be_written(frame, sets, write, pattern)
    found = []
    with counting("finding directions", len(sets)) as show:
        for number, members in enumerate(sets):
            found.append((members, find_directions(frame, members)))
            show(number + 1)
    if write:
        write_directions(frame, found, Path(write), pattern)
    if json:
        write_json(directions_record(frame, found), json)
    if html:
        from orderparam.report.directions import drawn_directions
        from orderparam.report.page import directions_page

        drawing, reason = drawn_directions(frame, found, pattern)
        record = directions_record(frame, found)
        write_page(html, directions_page(record, drawing, reason=reason, command=command_line()), drawing)
    if not quiet and json != "-":
        print_report(directions_report(frame, found))
    print_warnings(frame.warnings)


@options.gathers(options.parent_settings)
def irreps(
    parent: GroupOrFile,
    *,
    child: Annotated[
        str | None,
        typer.Option(
            metavar="GROUP",
            help="Find what leads to this space-group type: 62, Pnma, or any setting of it (Pbnm; Cmca for Cmce).",
        ),
    ] = None,
    size: Annotated[
        int | None, typer.Option(min=1, help="Cell multiplication of the child (primitive cells).", show_default="any")
    ] = None,
    field: Annotated[
        list[str] | None,
        typer.Option(metavar="IRREP", help="Also list who carries a field such as 0e, 1e, 2e; several times."),
    ] = None,
    json: options.Json = None,
    quiet: options.Quiet = False,
    reading: PairSettings,
) -> None:
    """List the irreps of PARENT at its special points, and what can carry them; or find those that lead to --child.

    The search takes single irreps and pairs; for a structure those that its displacements or strain can have.

    For example:

      orderparam irreps LaMnO3_221.cif

      orderparam irreps LaMnO3_221.cif --child Pnma --size 4
    """
    from orderparam.o3 import Irrep
    from orderparam.records import irreps_record, solutions_record
    from orderparam.records.directions import carriers_of
    from orderparam.report.directions import irreps_report, solutions_report
    from orderparam.symmetry.inverse import leads_to
    from orderparam.symmetry.parentirreps import special_irreps
    from orderparam.symmetry.strains import strain_labels

    options.check_beside("--child", child, {"--field": field})
    if size is not None and child is None:
        raise typer.BadParameter("it is the size of the --child to look for; give that as well", param_hint="--size")
    frame = read_parent(parent, reading)
    found = special_irreps(frame)
    strains = strain_labels(frame)
    if child is None:
        if json:
            write_json(irreps_record(frame, found, strains), json)
        if not quiet and json != "-":
            print_report(irreps_report(frame, found, strains, [Irrep.parse(name) for name in field or ()]))
    else:
        number = group_number(child)
        with progress("trying irreps and pairs ...") as show:
            solutions = leads_to(
                frame,
                [i for i in found if carriers_of(frame, i) or i.label in strains] if frame.crystal.n_sites else found,
                number,
                size,
                on_step=lambda done, n: show(f"set {done} of {n}"),
            )
        if json:
            write_json(solutions_record(frame, solutions), json)
        if not quiet and json != "-":
            print_report(solutions_report(frame, solutions, number, size))
    print_warnings(frame.warnings)


def read_parent(text: str, reading: PairSettings) -> Parent:
    """Return the parent of a file, or a space group without atoms, beside which options of reading mean nothing."""
    from orderparam.discovery import pair
    from orderparam.parent import abstract_parent

    if Path(text).exists() or re.search(r"\.\w+$|POSCAR|CONTCAR", text):
        return pair.read_parent(text, reading)
    number = group_number(text)
    given = {
        "--setting": reading.setting,
        "--frame": reading.frame_parent,
        "--periodic": reading.periodic,
        "--origin": reading.origin,
    }
    options.check_beside(f"PARENT {text}", number, given)
    return abstract_parent(number)


def group_number(text: str) -> int:
    """Return the number of a space group given as a number or a Hermann-Mauguin symbol of any setting.

    Raises
    ------
    InvalidInputError
    """
    from orderparam.crystals.settings import find_group
    from orderparam.errors import InvalidInputError

    number = find_group(text)
    if number is None:
        raise InvalidInputError(
            f"{text}: neither a file nor a space group; expected the name of a structure file, a number from 1 to 230 "
            "or a symbol such as Pm-3m or P2_1/c"
        )
    return number


def _letters(text: str | None) -> tuple[float, ...] | None:
    """Return the numbers of ``--letters 1,0.5``."""
    from orderparam.errors import InvalidInputError

    if text is None:
        return None
    try:
        values = tuple(float(v) for v in text.split(","))
    except ValueError:
        values = ()
    if not any(values) or not all(abs(v) < float("inf") for v in values):
        raise InvalidInputError(f"--letters {text}: expected numbers such as 1,0.5, not all zero")
    return values


def _sets(frame: Parent, labels: list[str] | None, points: list[str] | None) -> Sequence[tuple[ParentIrrep, ...]]:
    """Return the sets of irreps to look at: one coupled set, or single irreps."""
    from orderparam.errors import InvalidInputError
    from orderparam.symmetry.parentirreps import named_irrep, special_irreps

    if labels:
        members = tuple(named_irrep(frame, label) for label in labels)
        for number, member in enumerate(members):
            if any(_same(member, other) for other in members[:number]):
                raise InvalidInputError(
                    f"--irrep {labels[number]}: given twice; directions are those of one copy of every irrep"
                )
        return [members]
    every = special_irreps(frame)
    if points:
        known = dict.fromkeys(i.irrep.k_label for i in every)
        for point in points:
            if point not in known:
                raise InvalidInputError(
                    f"--k {point}: {frame.group} has no such special point; it has {', '.join(known)}"
                )
        every = [i for i in every if i.irrep.k_label in points]
    return [(i,) for i in every if not i.is_identity]


def _same(one: ParentIrrep, other: ParentIrrep) -> bool:
    """Whether two irreps have one name and one star of wave vectors."""
    gaps = one.k - other.k[0]
    return one.label == other.label and any(abs(gap - gap.round()).max() < 1e-6 for gap in gaps)
