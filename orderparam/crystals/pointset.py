"""Finite sets of points, such as molecules: reading, writing, and pymatgen's point-group analyser as reporter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from orderparam.errors import InvalidInputError
from orderparam.wording import counted

from .crystal import CLOSEST_CONTACT, numbered
from .quiet import quiet

if TYPE_CHECKING:
    from pymatgen.core import Molecule

MOLECULE_SUFFIXES = (".xyz", ".gjf", ".mol", ".pdb")
"""Formats that may come without a lattice."""


@dataclass(frozen=True, eq=False)
class PointSet:
    """A finite arrangement of atoms, or of points of several kinds.

    Attributes
    ----------
    positions : (n, 3)
        Cartesian, angstrom.
    species : tuple of n str
        Element symbols.
    labels : tuple of n str
        Names such as ``C1, C2``.
    name : str
        Where it comes from, for messages.
    notes : tuple of str
        What the reader had to do to understand the file.

    Raises
    ------
    InvalidInputError
        When shapes do not fit, a number is not finite, or two points coincide.

    Examples
    --------
    >>> import numpy as np
    >>> water = PointSet(np.array([[0, 0, 0], [0.76, 0.59, 0], [-0.76, 0.59, 0]]), ("O", "H", "H"))
    >>> water.formula, water.labels, report_point_group(water)
    ('H2O', ('O1', 'H1', 'H2'), 'C2v')
    """

    positions: np.ndarray
    species: tuple[str, ...]
    labels: tuple[str, ...] = ()
    name: str = ""
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        positions = np.array(self.positions, float)
        where = f"{self.name}: " if self.name else ""
        if positions.shape != (len(self.species), 3) or not len(self.species):
            raise InvalidInputError(
                f"{where}expected at least one point and positions ({len(self.species)}, 3), received {positions.shape}"
            )
        if not np.isfinite(positions).all():
            raise InvalidInputError(f"{where}a coordinate is not a finite number; repair the file")
        shortest = np.linalg.norm(positions[:, None] - positions, axis=2)[~np.eye(len(positions), dtype=bool)]
        if shortest.min(initial=np.inf) < CLOSEST_CONTACT:
            raise InvalidInputError(
                f"{where}two atoms stand on one place or {shortest.min():.2f} angstrom apart (expected at least "
                f"{CLOSEST_CONTACT}); remove duplicates"
            )
        positions.setflags(write=False)
        object.__setattr__(self, "positions", positions)
        object.__setattr__(self, "labels", tuple(self.labels) or numbered(self.species))

    @property
    def n_sites(self) -> int:
        """Number of points."""
        return len(self.species)

    @property
    def formula(self) -> str:
        """Elements with their numbers; see `formula`."""
        return formula(self.species)

    @property
    def centred(self) -> np.ndarray:
        """Positions (n, 3) relative to their mean."""
        return self.positions - self.positions.mean(axis=0)

    @property
    def rank(self) -> int:
        """Dimension of the space that the points span from their mean: 0 to 3."""
        sizes = np.linalg.svd(self.centred, compute_uv=False)
        return int((sizes > 1e-3).sum())

    def to_pymatgen(self) -> Molecule:
        """Return the same points as a pymatgen Molecule."""
        from pymatgen.core import Molecule

        return Molecule(list(self.species), self.positions)

    def to_xyz(self, comment: str = "") -> str:
        """Return the points as an XYZ file."""
        rows = (
            f"{kind:2s} {x + 0.0:18.12f} {y + 0.0:18.12f} {z + 0.0:18.12f}"
            for kind, (x, y, z) in zip(self.species, np.round(self.positions, 12).tolist(), strict=True)
        )
        return "\n".join([str(self.n_sites), " ".join(comment.split()), *rows]) + "\n"

    def __str__(self) -> str:
        return f"PointSet({self.formula})"


def formula(species: Sequence[str]) -> str:
    """Return a formula as chemists sort it (carbon, hydrogen, then by letters), which is not reduced.

    Examples
    --------
    >>> formula(("O", "C", "H", "H")), formula(("P", "O", "O"))
    ('CH2O', 'O2P')
    """
    first = {"C": 0, "H": 1} if "C" in species else {}
    counts = sorted(Counter(species).items(), key=lambda item: (first.get(item[0], 2), item[0]))
    return "".join(kind + (str(n) if n > 1 else "") for kind, n in counts)


def lacks_lattice(path: str | Path) -> bool:
    """Tell whether a file, by its name and content, is a molecule rather than a crystal."""
    path = Path(path)
    if not path.name.lower().endswith(MOLECULE_SUFFIXES) or not path.is_file():
        return False
    return "lattice=" not in path.read_text(errors="replace").lower()


def read_points(path: str | Path) -> PointSet:
    """Read a molecule from an XYZ file or another one that pymatgen understands; the first of several is taken.

    Raises
    ------
    InvalidInputError
        When the file is missing, holds no molecule, or has two atoms on one place.
    """
    path = Path(path)
    if not path.is_file():
        raise InvalidInputError(f"{path}: no such file; give the path of an XYZ file")
    if path.name.lower().endswith(".xyz"):
        symbols, positions, notes = _parse_xyz(path)
    else:
        (symbols, positions), notes = _parse_other(path), ()
    species = tuple("H" if symbol in {"D", "T"} else symbol for symbol in symbols)
    unknown = sorted({symbol for symbol in species if not _is_element(symbol)})
    if unknown:
        raise InvalidInputError(f"{path}: expected chemical elements, received {', '.join(unknown)}")
    return PointSet(positions, species, name=str(path), notes=notes)


def _is_element(symbol: str) -> bool:
    from pymatgen.core import Element

    return Element.is_valid_symbol(symbol)


def _parse_xyz(path: Path) -> tuple[list[str], np.ndarray, tuple[str, ...]]:
    """Return elements, positions and notes of the first structure of an XYZ file: its count, a comment, one line each.

    pymatgen's reader passes over lines that it does not understand, and an atom is lost.
    """
    first, *rest = path.read_text(errors="replace").splitlines() or [""]
    if not first.strip().isdecimal():
        raise InvalidInputError(f"{path}: not a molecule that can be read (the first line must be the number of atoms)")
    n = int(first)
    atoms = [line.split() for line in rest[1 : 1 + n] if line.strip()]
    if len(atoms) != n:
        raise InvalidInputError(
            f"{path}: its first line says {counted(n, 'atom')}, but it holds {len(atoms)}; repair the file"
        )
    try:
        positions = np.array([[float(word) for word in (x, y, z)] for _, x, y, z, *_ in atoms]).reshape(-1, 3)
    except ValueError:
        bad = next(" ".join(words) for words in atoms if len(words) < 4 or not all(map(_is_number, words[1:4])))
        raise InvalidInputError(
            f"{path}: not a molecule that can be read (expected an element and x, y, z, received {bad!r})"
        ) from None
    more = any(line.strip() for line in rest[1 + n :])
    notes = (f"{path.name} holds more than one structure; the first is used",) if more else ()
    return [words[0] for words in atoms], positions, notes


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _parse_other(path: Path) -> tuple[list[str], np.ndarray]:
    """Return elements and positions by pymatgen."""
    from pymatgen.core import Molecule

    try:
        with quiet():
            molecule = Molecule.from_file(str(path))
    except Exception as problem:
        reason = (str(problem).strip().splitlines() or [type(problem).__name__])[0]
        raise InvalidInputError(f"{path}: not a molecule that can be read ({reason[:160]})") from problem
    return [getattr(site.specie, "symbol", str(site.specie)) for site in molecule], np.array(molecule.cart_coords)


def report_point_group(points: PointSet, tolerance: float = 1e-3) -> str:
    """Return the Schoenflies symbol that pymatgen's PointGroupAnalyzer finds within a tolerance (angstrom)."""
    from pymatgen.core import Molecule
    from pymatgen.symmetry.analyzer import PointGroupAnalyzer

    with quiet():
        molecule = Molecule(list(points.species), points.centred)
        found = PointGroupAnalyzer(molecule, tolerance=tolerance, eigen_tolerance=max(tolerance, 1e-6))
    return {"D*h": "Dinfh", "C*v": "Cinfv"}.get(found.sch_symbol, found.sch_symbol)
