"""Arguments and options that several commands share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from orderparam.discovery.analyse import Analysis

ParentFile = Annotated[str, typer.Argument(metavar="PARENT", help="File of the high-symmetry structure.")]
ChildFile = Annotated[str, typer.Argument(metavar="CHILD", help="File of the distorted structure.")]
Json = Annotated[
    str | None,
    typer.Option("--json", metavar="FILE", help="Write the result as JSON; - for standard output, then JSON alone."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print no tables.")]
Symprec = Annotated[float, typer.Option(min=1e-8, help="Tolerance for the parent's symmetry, angstrom.")]
SymprecChild = Annotated[float, typer.Option(min=1e-8, help="Tolerance for the child's symmetry, angstrom.")]
Origin = Annotated[
    str | None,
    typer.Option(metavar="SPECIES", help="Element or site of the parent to put at the origin; labels depend on it."),
]
Renaming = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="A=B", help="Rename element A of the parent to B; may be given several times."),
]
MaxStrain = Annotated[float, typer.Option(min=0.0, help="Largest principal strain allowed.")]
MaxDisplacement = Annotated[float, typer.Option(min=0.0, help="Largest displacement allowed, angstrom.")]


@dataclass(frozen=True)
class PairOptions:
    """What to read and within which bounds to relate it."""

    parent: str
    child: str
    symprec: float
    symprec_child: float
    origin: str | None
    renaming: tuple[str, ...]
    max_strain: float
    max_displacement: float

    def analyse(self) -> Analysis:
        """Read both files and decompose the distortion exactly."""
        from orderparam.crystal import read_crystal, rename_species
        from orderparam.discovery.analyse import analyse
        from orderparam.parent import symmetrise

        names = parse_renaming(self.renaming)
        parent, child = read_crystal(self.parent), read_crystal(self.child)
        if names:
            parent = rename_species(parent, names)
        return analyse(
            symmetrise(parent, self.symprec, origin=self.origin),
            child,
            symprec=self.symprec_child,
            max_strain=self.max_strain,
            max_displacement=self.max_displacement,
        )


def parse_renaming(entries: tuple[str, ...]) -> dict[str, str]:
    """Return the names of ``--map Ca=Sr --map Ti=Zr``."""
    names = {}
    for entry in entries:
        old, _, new = (part.strip() for part in entry.partition("="))
        if not (old and new):
            raise typer.BadParameter(f"expected A=B such as Ca=Sr, received {entry!r}", param_hint="--map")
        names[old] = new
    return names
