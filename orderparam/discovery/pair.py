"""Two files, read and related: what `fit`, `modes`, families, series and notebooks do first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from orderparam.crystals.crystal import Crystal, rename_species
from orderparam.crystals.reading import read_crystal
from orderparam.crystals.selecting import check_names, part_of
from orderparam.parent import Parent, symmetrise

from .analyse import Analysis, analyse
from .children import rename_roles

PARENT = "the parent"
"""What the parent of a family is called in messages."""


@dataclass(frozen=True)
class PairSettings:
    """How a pair of files is read and related; defaults are those of `symmetrise` and `analyse`.

    Attributes
    ----------
    setting, setting_child : str or None
        Space-group settings to read the two files in, where they leave them open.
    frame, frame_parent : int, str or None
        Which of several structures of a file, the child's and the parent's: from 1, ``first``, ``last``, ``mean``.
    periodic : str or None
        Axes along which both files repeat, ``ab`` for layers.
    only, ignore : tuple of str
        Species or site labels to compare, or to leave out.
    renaming : tuple of (str, str)
        Elements of the parent and what to call them.
    origin : str or None
        Element or site of the parent to put at the origin.
    symprec, symprec_child : float
        spglib's tolerances, angstrom.
    max_strain, max_displacement : float
        Largest principal strain, largest displacement (angstrom).
    noise : float, str or None
        ``auto``, or the standard deviation of every coordinate (angstrom).
    """

    setting: str | None = None
    setting_child: str | None = None
    frame: int | str | None = None
    frame_parent: int | str | None = None
    periodic: str | None = None
    only: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    renaming: tuple[tuple[str, str], ...] = ()
    origin: str | None = None
    symprec: float = 1e-3
    symprec_child: float = 1e-3
    max_strain: float = 0.25
    max_displacement: float = 2.0
    noise: float | str | None = None

    def record(self) -> dict[str, Any]:
        """Return the settings as result files hold them: plain values, renamings as ``A=B``."""
        return {**asdict(self), "renaming": [f"{old}={new}" for old, new in self.renaming]}


def read_pair(parent: str, child: str, settings: PairSettings = PairSettings()) -> tuple[Crystal, Crystal]:
    """Read two files, rename the parent's elements, and return the parts that are to be compared.

    Raises
    ------
    InvalidInputError
    """
    first = read_whole_parent(parent, settings)
    first = rename_species(first, dict(settings.renaming)) if settings.renaming else first
    second = read_whole_child(child, settings)
    check_names([first, second], only=settings.only, ignore=settings.ignore)
    return part(first, settings), part(second, settings)


def read_family(parent: str, children: Mapping[str, str], settings: PairSettings) -> tuple[Crystal, dict[str, Crystal]]:
    """Read a parent and children by name, rename elements in each, and return the parts that are to be compared.

    Raises
    ------
    InvalidInputError
    """
    crystals = {PARENT: read_whole_parent(parent, settings)}
    crystals |= {name: read_whole_child(file, settings) for name, file in children.items()}
    crystals = rename_roles(crystals, dict(settings.renaming))
    check_names(list(crystals.values()), only=settings.only, ignore=settings.ignore)
    parts = {name: part(crystal, settings) for name, crystal in crystals.items()}
    return parts.pop(PARENT), parts


def part(crystal: Crystal, settings: PairSettings) -> Crystal:
    """Return the part of a crystal that is to be compared.

    Raises
    ------
    InvalidInputError
    """
    return part_of(crystal, only=settings.only, ignore=settings.ignore)


def read_parent(path: str, settings: PairSettings = PairSettings()) -> Parent:
    """Read and symmetrise a parent that is not compared with a child.

    Raises
    ------
    OrderParamError
    """
    return symmetrise(read_whole_parent(path, settings), settings.symprec, origin=settings.origin)


def read_whole_parent(path: str, settings: PairSettings) -> Crystal:
    """Read all atoms of a parent, under their own names.

    Raises
    ------
    InvalidInputError
    """
    return read_crystal(path, setting=settings.setting, frame=settings.frame_parent, periodic=settings.periodic)


def read_whole_child(path: str, settings: PairSettings) -> Crystal:
    """Read all atoms of a child.

    Raises
    ------
    InvalidInputError
    """
    return read_crystal(path, setting=settings.setting_child, frame=settings.frame, periodic=settings.periodic)


def relate_pair(parent: Parent, child: Crystal, settings: PairSettings = PairSettings()) -> Analysis:
    """Decompose the distortion of a child from a symmetrised parent with these settings.

    Raises
    ------
    OrderParamError
        As `analyse`.
    """
    return analyse(
        parent,
        child,
        symprec=settings.symprec_child,
        max_strain=settings.max_strain,
        max_displacement=settings.max_displacement,
        noise=settings.noise,
    )


def analyse_pair(parent: str, child: str, settings: PairSettings = PairSettings()) -> Analysis:
    """Read two files and decompose the distortion exactly.

    Raises
    ------
    OrderParamError
        When a file cannot be read, or the two are no parent and child.

    Examples
    --------
    >>> folder = "structures/perovskite/"
    >>> analyse_pair(folder + "LaMnO3_221.cif", folder + "LaMnO3_62.cif", PairSettings(only=("Mn", "O")))
    Analysis(MnO3: Pm-3m (221) -> Pnma (62), R4+ + M3+)
    """
    first, second = read_pair(parent, child, settings)
    return relate_pair(symmetrise(first, settings.symprec, origin=settings.origin), second, settings)
