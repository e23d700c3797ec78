"""Crystals as files hold them: the only door to pymatgen's readers and writers."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .errors import InvalidInputError
from .quiet import quiet
from .shown import html_of
from .uncertainties import Uncertainties, uncertainties_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pymatgen.core import Structure
    from pymatgen.io.cif import CifParser

CLOSEST_CONTACT = 0.5
"""Two atoms nearer than this (angstrom) are a mistake in the file: the shortest bond, H-H, has 0.74."""


@dataclass(frozen=True)
class Crystal:
    """A periodic arrangement of atoms.

    Attributes
    ----------
    lattice : (3, 3)
        Basis vectors as rows, angstrom.
    positions : (n, 3)
        Fractional coordinates.
    species : tuple of n str
        Element symbols; a mixed site holds its whole mixture, such as ``"Ca0.5Sr0.5"``.
    labels : tuple of n str
        The file's site labels.
    name : str
        Where the crystal comes from, for messages.
    notes : tuple of str
        What the reader had to do to understand the file.
    uncertainties : Uncertainties or None
        Standard uncertainties, where the file has them.

    Raises
    ------
    InvalidInputError
        When shapes do not fit, numbers are not finite, or the cell has no volume.

    Examples
    --------
    >>> import numpy as np
    >>> salt = Crystal(5.64 * np.eye(3), np.array([[0, 0, 0], [0.5, 0.5, 0.5]]), ("Na", "Cl"))
    >>> salt.formula, salt.labels, round(salt.volume, 1)
    ('NaCl', ('Na1', 'Cl1'), 179.4)
    """

    lattice: np.ndarray
    positions: np.ndarray
    species: tuple[str, ...]
    labels: tuple[str, ...] = ()
    name: str = ""
    notes: tuple[str, ...] = ()
    uncertainties: Uncertainties | None = None

    def __post_init__(self) -> None:
        lattice, positions = np.array(self.lattice, float), np.array(self.positions, float)
        where = f"{self.name}: " if self.name else ""
        if lattice.shape != (3, 3) or positions.ndim != 2 or positions.shape != (len(self.species), 3):
            raise InvalidInputError(
                f"{where}expected a (3, 3) lattice and one position per species, received {lattice.shape}, "
                f"{positions.shape} and {len(self.species)} species"
            )
        if not (np.isfinite(lattice).all() and np.isfinite(positions).all()):
            raise InvalidInputError(f"{where}a cell vector or coordinate is not a finite number; repair the file")
        if abs(np.linalg.det(lattice)) < 1e-3:
            raise InvalidInputError(f"{where}the cell has no volume; check its lengths and angles")
        for field, array in (("lattice", lattice), ("positions", positions)):
            array.setflags(write=False)
            object.__setattr__(self, field, array)
        object.__setattr__(self, "labels", tuple(self.labels) or numbered(self.species))

    @property
    def n_sites(self) -> int:
        """Number of atoms in the cell."""
        return len(self.species)

    @property
    def volume(self) -> float:
        """Volume of the cell, cubic angstrom."""
        return float(abs(np.linalg.det(self.lattice)))

    @property
    def positions_cart(self) -> np.ndarray:
        """Cartesian coordinates (n, 3), angstrom."""
        return self.positions @ self.lattice

    @property
    def formula(self) -> str:
        """Reduced formula, elements by electronegativity as chemists write them."""
        return formula_of(self.species)

    @property
    def kinds(self) -> np.ndarray:
        """One integer per atom, equal for equal species (n,)."""
        known = {kind: number for number, kind in enumerate(sorted(set(self.species)), start=1)}
        return np.array([known[kind] for kind in self.species])

    def to_pymatgen(self) -> Structure:
        """Return the same crystal as a pymatgen Structure."""
        from pymatgen.core import Composition, Structure

        species = [Composition(kind) for kind in self.species]
        return Structure(self.lattice, species, self.positions, labels=list(self.labels))

    def __str__(self) -> str:
        return f"Crystal({self.formula}, {self.n_sites} atoms)"

    __repr__ = __str__
    _repr_html_ = html_of


def numbered(species: tuple[str, ...]) -> tuple[str, ...]:
    """Return labels such as ``O1, O2`` for atoms that have none."""
    counts: Counter[str] = Counter()
    labels = []
    for kind in species:
        counts[kind] += 1
        labels.append(f"{kind}{counts[kind]}")
    return tuple(labels)


def formula_of(species: tuple[str, ...]) -> str:
    """Return the reduced formula of a list of species; mixtures stand in brackets."""
    counts = Counter(species)
    divisor = reduce(math.gcd, counts.values(), 0) or 1
    from pymatgen.core import Composition

    def rank(kind: str) -> tuple[float, str]:
        electronegativity = Composition(kind).average_electroneg
        return (electronegativity if np.isfinite(electronegativity) else 0.0, kind)

    with quiet():
        kinds = sorted(counts, key=rank)
    parts = []
    for kind in kinds:
        n = counts[kind] // divisor
        shown = kind if re.fullmatch(r"[A-Z][a-z]?", kind) else f"({kind})"
        parts.append(shown + (str(n) if n > 1 else ""))
    return "".join(parts)


def read_crystal(path: str | Path) -> Crystal:
    """Read a crystal from a CIF, a POSCAR or any other file that pymatgen understands.

    Oxidation states are stripped, deuterium is read as hydrogen, site labels are kept.

    Raises
    ------
    InvalidInputError
        When the file is missing, is no crystal structure, or has two atoms on one place.
    """
    path = Path(path)
    if not path.exists():
        raise InvalidInputError(f"{path}: no such file; give the path of a CIF or POSCAR")
    if path.is_dir():
        raise InvalidInputError(f"{path} is a folder; give the path of a CIF or POSCAR in it")
    try:
        with quiet():
            structure, notes = _parse(path)
    except InvalidInputError:
        raise
    except Exception as problem:
        reason = (str(problem).strip().splitlines() or [type(problem).__name__])[0]
        if _has_infinities(path):
            reason = "a coordinate or cell length is not a finite number"
        raise InvalidInputError(f"{path}: not a crystal structure that can be read ({reason[:160]})") from problem
    crystal = _from_pymatgen(structure, name=str(path), notes=notes)
    return replace(crystal, uncertainties=_read_uncertainties(path)) if _is_cif(path) else crystal


def _has_infinities(path: Path) -> bool:
    return bool({"nan", "inf", "-inf"} & set(path.read_text(errors="replace").lower().split()))


def _is_cif(path: Path) -> bool:
    return path.name.lower().endswith((".cif", ".mcif"))


def _parse(path: Path) -> tuple[Structure, tuple[str, ...]]:
    """Return pymatgen's structure and notes on what reading it took."""
    from pymatgen.core import Structure

    name = path.name.lower()
    if (
        name.endswith((".xyz", ".extxyz", ".mol", ".pdb", ".gjf"))
        and "lattice=" not in path.read_text(errors="replace").lower()
    ):
        raise InvalidInputError(f"{path}: a molecule without a lattice; a crystal is needed (CIF, POSCAR ...)")
    if name.endswith((".xyz", ".extxyz")):
        return _parse_extended_xyz(path), ()
    if not _is_cif(path):
        return Structure.from_file(path), ()
    return _parse_cif(path)


def _parse_extended_xyz(path: Path) -> Structure:
    try:
        from ase.io import read
        from pymatgen.io.ase import AseAtomsAdaptor
    except ImportError as missing:
        raise InvalidInputError(f"{path}: reading extended XYZ needs ASE (pip install ase); or give a CIF") from missing
    return AseAtomsAdaptor.get_structure(read(path))  # type: ignore[arg-type]


def _parse_cif(path: Path) -> tuple[Structure, tuple[str, ...]]:
    """Read the first structure of a CIF, with looser site merging when rounded special positions double atoms."""
    from pymatgen.io.cif import CifParser

    notes: list[str] = []
    structure = None
    for tolerance in (1e-4, 1e-3, 5e-3):
        parser = CifParser(str(path), site_tolerance=tolerance, occupancy_tolerance=1.0 + 1e-3)
        _read_deuterium_as_hydrogen(parser)
        try:
            structures = parser.parse_structures(primitive=False, on_error="ignore")
        except Exception:
            if tolerance == 5e-3:
                raise InvalidInputError(_why_no_structure(path)) from None
            continue
        if not structures:
            continue
        structure = structures[0]
        if len(structures) > 1:
            notes = [f"{path.name} holds {len(structures)} structures; the first is used"]
        if structure.num_sites < 2 or _shortest(np.array(structure.lattice.matrix), structure.frac_coords) > 0.3:
            if tolerance > 1e-4:
                notes.append(f"{path.name}: coordinates are rounded; symmetry copies within {tolerance:g} were merged")
            break
    if structure is None:
        raise InvalidInputError(f"{path}: the CIF holds no structure (no cell, or no atom sites)")
    return structure, tuple(notes)


def _read_deuterium_as_hydrogen(parser: CifParser) -> None:
    """Rename D in the parsed blocks: pymatgen counts H and D on one site twice."""
    for block in parser._cif.data.values():  # pyright: ignore[reportAttributeAccessIssue]
        column = "_atom_site_type_symbol" if "_atom_site_type_symbol" in block.data else "_atom_site_label"
        if isinstance(entries := block.data.get(column), list):
            block.data["_atom_site_type_symbol"] = [re.sub(r"^D(?![a-z])", "H", entry) for entry in entries]


def _read_uncertainties(path: Path) -> Uncertainties | None:
    """Return the standard uncertainties of a CIF, None if it gives none."""
    from pymatgen.io.cif import CifFile

    text = path.read_text(errors="replace")
    if "(" not in text and not re.search(r"(?m)(?:^|\s)[.?](?:\s|$)", text):
        return None
    with quiet():
        blocks = [block.data for block in CifFile.from_file(path).data.values()]
    return uncertainties_of(blocks, str(path))


def _why_no_structure(path: Path) -> str:
    """Say why a CIF gives no structure at all."""
    from pymatgen.io.cif import CifParser

    try:
        CifParser(str(path), site_tolerance=5e-3, occupancy_tolerance=1.0).parse_structures(on_error="raise")
        reason = "no structure"
    except Exception as problem:
        reason = (str(problem).strip().splitlines() or [type(problem).__name__])[-1]
    if _has_infinities(path):
        reason = "a coordinate or cell length is not a finite number"
    if found := re.search(r"Occupancy ([\d.]+)", reason):
        return (
            f"{path}: two atoms stand on one place: their occupancies sum to {found.group(1)} (expected at most 1); "
            "remove duplicates, or give the occupancies of a mixed site"
        )
    return f"{path}: not a crystal structure that can be read ({reason[:160]})"


def _from_pymatgen(structure: Structure, *, name: str, notes: tuple[str, ...]) -> Crystal:
    """Return a Crystal with bare species from a pymatgen structure."""
    species = []
    for site in structure:
        amounts: defaultdict[str, float] = defaultdict(float)
        for specie, amount in site.species.items():
            symbol = getattr(specie, "symbol", str(specie))
            amounts["H" if symbol in {"D", "T"} else symbol] += amount
        if len(amounts) == 1 and abs(sum(amounts.values()) - 1) < 1e-3:
            species.append(next(iter(amounts)))
        else:
            species.append("".join(f"{symbol}{amounts[symbol]:.4g}" for symbol in sorted(amounts)))
    labels = tuple(str(site.label) for site in structure)
    lattice, positions = np.array(structure.lattice.matrix), np.array(structure.frac_coords)
    crystal = _right_handed(Crystal(lattice, positions, tuple(species), labels, name, notes))
    if crystal.n_sites > 1 and (shortest := shortest_contact(crystal)) < CLOSEST_CONTACT:
        raise InvalidInputError(
            f"{name}: two atoms stand on one place or {shortest:.2f} angstrom apart (expected at least "
            f"{CLOSEST_CONTACT}); remove duplicates, or model split positions as one mixed site"
        )
    return crystal


def _right_handed(crystal: Crystal) -> Crystal:
    """Return the same crystal, nothing moved, in a right-handed cell: a CIF knows no other, and VASP wants none."""
    if np.linalg.det(crystal.lattice) > 0:
        return crystal
    return replace(crystal, lattice=-crystal.lattice, positions=-crystal.positions)


def shortest_contact(crystal: Crystal) -> float:
    """Return the shortest distance between two atoms, or an atom and its image (angstrom)."""
    return _shortest(crystal.lattice, crystal.positions)


def _shortest(lattice: np.ndarray, positions: np.ndarray) -> float:
    from scipy.spatial import KDTree

    wrapped = positions - np.floor(positions)
    cells = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), -1).reshape(-1, 3)
    images = ((wrapped[None] + cells[:, None]).reshape(-1, 3)) @ lattice
    distances, _ = KDTree(images).query(wrapped @ lattice, k=2)
    return float(distances[:, 1].min())


def rename_species(crystal: Crystal, names: dict[str, str]) -> Crystal:
    """Return the crystal with elements renamed, as ``--map Ca=Sr`` asks.

    Raises
    ------
    InvalidInputError
        When an element to rename is not there.
    """
    missing = sorted(set(names) - set(crystal.species))
    if missing:
        raise InvalidInputError(
            f"--map: {crystal.name or 'the parent'} has no {', '.join(missing)}; it has "
            f"{', '.join(sorted(set(crystal.species)))}"
        )
    species = tuple(names.get(kind, kind) for kind in crystal.species)
    labels = tuple(
        re.sub(rf"^{re.escape(old)}(?![a-z])", new, label) if old != new else label
        for label, old, new in zip(crystal.labels, crystal.species, species, strict=True)
    )
    return replace(crystal, species=species, labels=labels)


def crystal_to_cif(crystal: Crystal, *, symprec: float | None = None) -> str:
    """Return the crystal as CIF text: P1 with all atoms, or with its symmetry when ``symprec`` is given."""
    from pymatgen.io.cif import CifWriter

    with quiet():
        # pymatgen's own angle tolerance of 5 degrees would straighten small shears
        writer = CifWriter(
            _right_handed(crystal).to_pymatgen(), symprec=symprec, significant_figures=12, angle_tolerance=-1.0
        )
        return str(writer)


def check_whole_elements(species: Sequence[str], form: str) -> None:
    """Refuse mixed or partly empty sites where a format has none.

    Raises
    ------
    InvalidInputError
    """
    mixed = next((kind for kind in species if not re.fullmatch(r"[A-Z][a-z]?", kind)), None)
    if mixed is not None:
        raise InvalidInputError(f"{form} has no occupancies, and the crystal has a site {mixed}; write a .cif")


def crystal_to_poscar(crystal: Crystal) -> str:
    """Return the crystal as a VASP POSCAR, atoms in the crystal's order.

    Raises
    ------
    InvalidInputError
        When a site is mixed or partly empty: a POSCAR has no occupancies.
    """
    from pymatgen.io.vasp import Poscar

    check_whole_elements(crystal.species, "a POSCAR")
    with quiet():
        return Poscar(_right_handed(crystal).to_pymatgen()).get_str(significant_figures=12)
