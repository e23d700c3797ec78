"""Arguments and options that several commands share."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from orderparam.discovery.analyse import Analysis
    from orderparam.discovery.pair import PairSettings

READING, OUTPUT = "Reading and relating the structures", "Output"
"""Panels of --help."""

LOOSEST = 0.5
"""spglib's tolerance at most, angstrom: from about 1 on it merges atoms, and it can crash."""


def structure_file(name: str | None) -> str | None:
    """Refuse the symbol or number of a space group where a structure is needed.

    Raises
    ------
    InvalidInputError
    """
    from orderparam.crystals.settings import find_group
    from orderparam.errors import InvalidInputError

    if name is not None and not Path(name).exists() and find_group(name) is not None:
        raise InvalidInputError(f"{name}: a space group has no atoms; give the file of a structure (CIF or POSCAR)")
    return name


def structure_files(names: list[str] | None) -> list[str] | None:
    """Do the same for several."""
    for name in names or ():
        structure_file(name)
    return names


ParentFile = Annotated[
    str, typer.Argument(metavar="PARENT", help="File of the high-symmetry structure.", callback=structure_file)
]
ChildFile = Annotated[
    str, typer.Argument(metavar="CHILD", help="File of the distorted structure.", callback=structure_file)
]
Json = Annotated[
    str | None,
    typer.Option(
        "--json",
        metavar="FILE",
        help="Write the result as JSON; - for standard output, then JSON alone.",
        rich_help_panel=OUTPUT,
    ),
]
Page = Annotated[
    str | None,
    typer.Option(
        "--html",
        metavar="FILE",
        help="Write one page with figures; it needs no network to be read.",
        rich_help_panel=OUTPUT,
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print no tables.", rich_help_panel=OUTPUT)]
Symprec = Annotated[
    float,
    typer.Option(
        min=1e-8,
        max=LOOSEST,
        help="Tolerance for the parent's symmetry, angstrom.",
        rich_help_panel=READING,
    ),
]
SymprecChild = Annotated[
    float,
    typer.Option(
        min=1e-8,
        max=LOOSEST,
        help="Tolerance for the child's symmetry, angstrom.",
        rich_help_panel=READING,
    ),
]
Origin = Annotated[
    str | None,
    typer.Option(
        metavar="SPECIES",
        help="Element or site of the parent to put at the origin; labels depend on it.",
        rich_help_panel=READING,
    ),
]
Renaming = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="A=B",
        help="Rename element A of the parent to B; may be given several times.",
        rich_help_panel=READING,
    ),
]
MaxStrain = Annotated[float, typer.Option(min=0.0, help="Largest principal strain allowed.", rich_help_panel=READING)]
MaxDisplacement = Annotated[
    float,
    typer.Option(
        min=0.0,
        help="Largest displacement allowed, angstrom.",
        rich_help_panel=READING,
    ),
]
Noise = Annotated[
    str | None,
    typer.Option(
        metavar="auto|SIGMA",
        help="Find the symmetry that noisy coordinates support; SIGMA in angstrom where the noise is known.",
        rich_help_panel=READING,
    ),
]

Setting = Annotated[
    str | None,
    typer.Option(
        metavar="SYMBOL",
        help="Read the (parent's) file in this space-group setting: a symbol such as 'F d -3 m:2', or a Hall symbol.",
        rich_help_panel=READING,
    ),
]
SettingChild = Annotated[
    str | None, typer.Option(metavar="SYMBOL", help="The same for CHILD.", rich_help_panel=READING)
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAMES", help="Compare these species or site labels alone, such as Ti,O.", rich_help_panel=READING
    ),
]
Ignore = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAMES", help="Leave out these species or site labels, such as C,N,H.", rich_help_panel=READING
    ),
]


def frame_of(text: str | None) -> str | None:
    """Refuse anything but a number from 1, first, last or mean."""
    if text is None:
        return None
    from orderparam.crystals.frames import parse_frame
    from orderparam.errors import InvalidInputError

    try:
        parse_frame(text)
    except InvalidInputError as problem:
        raise typer.BadParameter(str(problem).removeprefix("frame: ")) from problem
    return text


Frame = Annotated[
    str | None,
    typer.Option(
        "--frame",
        metavar="N|first|last|mean",
        help="Which structure of a (child's) file that holds several: counted from 1, first, last or the mean of all.",
        callback=frame_of,
        rich_help_panel=READING,
    ),
]
FrameParent = Annotated[
    str | None,
    typer.Option(metavar="N|first|last|mean", help="The same for PARENT.", callback=frame_of, rich_help_panel=READING),
]
Periodic = Annotated[
    str | None,
    typer.Option(
        metavar="AXES",
        help="Axes along which the files repeat: ab for layers with vacuum along c, abc for crystals.",
        show_default="as the files say, or no gap",
        rich_help_panel=READING,
    ),
]
Constrain = Annotated[
    list[str] | None,
    typer.Option(
        metavar="SPEC",
        help="Hold the inputs to subgroup=74 (or Imma, 127#2), irreps=R4+, 'direction:R4+=(a,a,0)', k=R or "
        "'Mn:1e:z=0'; several times: all of them.",
    ),
]

SYMPREC = 1e-3
MAX_STRAIN = 0.25
MAX_DISPLACEMENT = 2.0


def parent_settings(
    *,
    setting: Setting = None,
    frame: Frame = None,
    periodic: Periodic = None,
    symprec: Symprec = SYMPREC,
    origin: Origin = None,
) -> PairSettings:
    """Gather the options of commands that read a parent alone."""
    from orderparam.discovery.pair import PairSettings

    return PairSettings(setting=setting, frame_parent=frame, periodic=periodic, symprec=symprec, origin=origin)


def pair_settings(
    *,
    noise: Noise = None,
    setting: Setting = None,
    setting_child: SettingChild = None,
    frame: Frame = None,
    frame_parent: FrameParent = None,
    periodic: Periodic = None,
    only: Only = None,
    ignore: Ignore = None,
    renaming: Renaming = None,
    origin: Origin = None,
    symprec: Symprec = SYMPREC,
    symprec_child: SymprecChild = SYMPREC,
    max_strain: MaxStrain = MAX_STRAIN,
    max_displacement: MaxDisplacement = MAX_DISPLACEMENT,
) -> PairSettings:
    """Gather the options of commands that compare two structures."""
    from orderparam.discovery.pair import PairSettings

    return PairSettings(
        setting=setting,
        setting_child=setting_child,
        frame=frame,
        frame_parent=frame_parent,
        periodic=periodic,
        only=_names("--only", only),
        ignore=_names("--ignore", ignore),
        renaming=tuple(parse_renaming(tuple(renaming or ())).items()),
        origin=origin,
        symprec=symprec,
        symprec_child=symprec_child,
        max_strain=max_strain,
        max_displacement=max_displacement,
        noise=noise,
    )


def gathers(collect: Callable[..., Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of `collect`, whose result becomes its argument ``reading``.

    So the options that many commands share are listed once, and stand in `--help` as if each had listed them.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own, shared = inspect.signature(command), inspect.signature(collect)
        parameters = [
            parameter.replace(annotation=eval(parameter.annotation, function.__globals__))  # its own source text
            for function, parameters in ((command, own.parameters), (collect, shared.parameters))
            for name, parameter in parameters.items()
            if name != "reading"
        ]
        signature = own.replace(parameters=parameters, return_annotation=None)

        @functools.wraps(command)
        def whole(*arguments: Any, **given: Any) -> None:
            settings = collect(**{name: given.pop(name) for name in shared.parameters if name in given})
            command(*arguments, **given, reading=settings)

        whole.__signature__ = signature  # pyright: ignore[reportAttributeAccessIssue]
        whole.__annotations__ = {name: parameter.annotation for name, parameter in signature.parameters.items()}
        return whole

    return decorate


def analyse_files(parent: str, child: str, settings: PairSettings) -> Analysis:
    """Read two files, crystals or finite sets of points, and decompose the distortion exactly."""
    from orderparam.crystals.pointset import lacks_lattice

    if lacks_lattice(parent) or lacks_lattice(child):
        return _analyse_points(parent, child, settings)
    from orderparam.discovery.pair import analyse_pair

    return analyse_pair(parent, child, settings)


def _analyse_points(parent: str, child: str, settings: PairSettings) -> Analysis:
    """Read two molecules or other finite sets of points."""
    from orderparam.crystals.pointset import lacks_lattice, read_points
    from orderparam.discovery.pointrelation import analyse_points
    from orderparam.errors import InvalidInputError
    from orderparam.pointparent import symmetrise_points

    for one, other in ((parent, child), (child, parent)):
        if not lacks_lattice(one):
            raise InvalidInputError(
                f"{other} is a molecule without a lattice, {one} is not; both must be crystals, or both molecules"
            )
    check_crystal_options(
        **{
            "--setting": settings.setting,
            "--setting-child": settings.setting_child,
            "--frame": settings.frame,
            "--frame-parent": settings.frame_parent,
            "--periodic": settings.periodic,
            "--only": settings.only,
            "--ignore": settings.ignore,
            "--origin": settings.origin,
            "--map": settings.renaming,
            "--noise": settings.noise,
        }
    )
    return analyse_points(
        symmetrise_points(read_points(parent), settings.symprec),
        read_points(child),
        symprec=settings.symprec_child,
        max_displacement=settings.max_displacement,
    )


def _names(option: str, entries: list[str] | None) -> tuple[str, ...]:
    """Return the names of ``--only Fe,O --only Ti1``."""
    names = [name.strip() for entry in entries or () for name in entry.split(",")]
    if not all(names):
        raise typer.BadParameter("expected species or site labels such as Fe,O", param_hint=option)
    return tuple(dict.fromkeys(names))


def check_crystal_options(**given: object) -> None:
    """Refuse options that mean nothing for a finite set of points.

    Raises
    ------
    InvalidInputError
    """
    from orderparam.errors import InvalidInputError

    meaningless = [name for name, value in given.items() if value]
    if meaningless:
        raise InvalidInputError(f"{', '.join(meaningless)}: only for crystals, not for finite sets of points")


def parse_renaming(entries: tuple[str, ...]) -> dict[str, str]:
    """Return the names of ``--map Ca=Sr --map Ti=Zr``."""
    names = {}
    for entry in entries:
        old, _, new = (part.strip() for part in entry.partition("="))
        if not (old and new):
            raise typer.BadParameter(f"expected A=B such as Ca=Sr, received {entry!r}", param_hint="--map")
        names[old] = new
    return names


def parse_settings(entries: Sequence[str]) -> dict[str, list[list[float]]]:
    """Return the components of ``--set R4+=(0.5,0.5,0) --set M3+=(0;0;0.4)`` by label."""
    from orderparam.distort import parse_setting

    given: dict[str, list[list[float]]] = {}
    for label, values in map(parse_setting, entries):
        if label in given:
            raise typer.BadParameter(
                f"{label} is given twice; copies of one irrep go into one, as in 'X2+=(0.2;0|0.1;0)'",
                param_hint="--set",
            )
        given[label] = values
    return given


def check_beside(option: str, given: object, others: Mapping[str, object]) -> None:
    """Refuse options that would be ignored beside `option` where that is given."""
    ignored = [name for name, value in others.items() if value not in (None, False, [])]
    if given not in (None, False, []) and ignored:
        raise typer.BadParameter(f"{', '.join(ignored)} would be ignored beside it", param_hint=option)


def check_needed(given: Mapping[str, object], others: Mapping[str, object]) -> None:
    """Refuse options that are ignored because none of `others` is given."""
    ignored = [name for name, value in given.items() if value not in (None, False, [])]
    if ignored and all(value in (None, False, []) for value in others.values()):
        raise typer.BadParameter(f"would be ignored without {' or '.join(others)}", param_hint=", ".join(ignored))


def parse_labels(text: str | None) -> tuple[str, ...] | None:
    """Return the labels of ``R4+,M3+``; None where nothing was asked for."""
    if text is None:
        return None
    from orderparam.symmetry.parentirreps import split_labels

    return split_labels(text)


def check_targets(targets: Sequence[str | None], inputs: Sequence[str], *, folders: bool = False) -> None:
    """Refuse, before any work, files to write that would overwrite an input or one another, or cannot be written.

    Raises
    ------
    InvalidInputError
    """
    from orderparam.errors import InvalidInputError
    from orderparam.records import check_writable

    read = {Path(name).resolve() for name in inputs}
    written: set[Path] = set()
    for target in targets:
        if not target or target == "-":
            continue
        place = Path(target).resolve()
        if place in read:
            raise InvalidInputError(f"{target}: this would overwrite an input; give another name")
        if place in written:
            raise InvalidInputError(f"{target}: two outputs would go to this file; give each a name of its own")
        if place.is_dir() and not folders:
            raise InvalidInputError(f"{target} is a folder; give the name of a file")
        check_writable(target)
        written.add(place)


def check_alone(flag: bool, others: Mapping[str, object]) -> None:
    """Refuse options that mean nothing beside --no-order-parameter."""
    meaningless = [name for name, value in others.items() if value]
    if flag and meaningless:
        raise typer.BadParameter(
            f"there is no order parameter for {', '.join(meaningless)}", param_hint="--no-order-parameter"
        )
