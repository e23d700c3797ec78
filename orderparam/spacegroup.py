"""Space groups: the noun, and the only door to spglib.

Operations {W|w} act on fractional columns, x -> W x + w. Rotation parts are integer matrices; translation parts are
integer numerators over `DENOMINATOR`, so that composition and comparison are exact.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import tempfile
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import spglib

from .crystals.crystal import Crystal
from .crystals.layers import is_layer, layer_cell
from .errors import SymmetryError

if TYPE_CHECKING:
    from collections.abc import Iterator

DENOMINATOR = 24
"""Translation parts of space groups in standard settings are multiples of 1/12; 24 leaves room for origin shifts."""

CENTRINGS: dict[str, np.ndarray] = {
    "P": np.eye(3),
    "A": np.array([[1, 0, 0], [0, 0.5, -0.5], [0, 0.5, 0.5]]),
    "C": np.array([[0.5, 0.5, 0], [-0.5, 0.5, 0], [0, 0, 1]]),
    "I": np.array([[-0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.5, 0.5, -0.5]]),
    "F": np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]),
    "R": np.array([[2, 1, 1], [-1, 1, 1], [-1, -2, 1]]) / 3,
}
"""Primitive basis vectors as rows, in the conventional basis, by centring letter (R: obverse hexagonal axes)."""

_CHOICES = ("2", "H", "b", "b1", "abc", "")
"""Preferred choice among spglib's Hall entries; this order gives the setting of the ISO-IR tables for all groups."""


@dataclass(frozen=True)
class SpaceGroup:
    """A space group in a primitive basis.

    Attributes
    ----------
    number, symbol : int, str
        International number and short Hermann-Mauguin symbol.
    rotations : (n, 3, 3) int
        Rotation parts W of the coset representatives of the translations.
    translations : (n, 3) int
        Translation parts w as numerators over `DENOMINATOR`, in [0, `DENOMINATOR`).
    """

    number: int
    symbol: str
    rotations: np.ndarray
    translations: np.ndarray

    @property
    def order(self) -> int:
        """Order of the point group."""
        return len(self.rotations)

    @property
    def is_chiral(self) -> bool:
        """Whether the group holds proper rotations only (a Sohncke group)."""
        return bool((np.linalg.det(self.rotations) > 0).all())

    @property
    def translation_parts(self) -> np.ndarray:
        """Translation parts as floats (n, 3)."""
        return self.translations / DENOMINATOR

    def __str__(self) -> str:
        return f"{self.symbol} ({self.number})"


@dataclass(frozen=True)
class SymmetryReport:
    """What spglib says about one crystal at one tolerance.

    ``transformation`` P and ``origin_shift`` p bring the file's coordinates to the setting of Hall entry
    ``hall_number``: x_standard = P x + p. ``rotations`` and ``translations`` are in the file's basis.
    """

    number: int
    symbol: str
    hall_number: int
    hall_symbol: str
    point_group: str
    choice: str
    symprec: float
    rotations: np.ndarray
    translations: np.ndarray
    wyckoffs: tuple[str, ...]
    site_symmetries: tuple[str, ...]
    equivalent_atoms: np.ndarray
    transformation: np.ndarray
    origin_shift: np.ndarray

    @property
    def n_operations(self) -> int:
        """Operations of the crystal modulo its file's cell, also those that do not keep a supercell's lattice."""
        return round(len(hall_operations(self.hall_number)[0]) * abs(np.linalg.det(self.transformation)))


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Keep the messages that spglib's C code writes to standard error away from the terminal."""
    sys.stderr.flush()
    try:
        saved = os.dup(2)
    except OSError:  # no standard error at all
        yield
        return
    with tempfile.TemporaryFile() as sink:
        os.dup2(sink.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)


@contextlib.contextmanager
def _either_switch() -> Iterator[None]:
    """Keep spglib's notice about its switch of error handling away; `_ask` copes with both positions."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Set OLD_ERROR_HANDLING", DeprecationWarning)
        yield


def _ask(call: Any, *arguments: Any, **options: Any) -> Any:
    """Call spglib; return None whichever way it reports failure (it depends on a global switch)."""
    try:
        with _silent(), _either_switch():
            return call(*arguments, **options)
    except Exception:
        return None


def report_symmetry(crystal: Crystal, symprec: float, *, hall_number: int = 0) -> SymmetryReport:
    """Find the space group of a crystal with spglib.

    Raises
    ------
    SymmetryError
        When spglib finds none at this tolerance.
    """
    cell = (crystal.lattice, crystal.positions, crystal.kinds)
    data = _ask(spglib.get_symmetry_dataset, cell, symprec=symprec, hall_number=hall_number)
    if data is None:
        raise SymmetryError(
            f"{crystal.name or crystal.formula}: spglib finds no space group at symprec {symprec:g}; "
            "try a smaller tolerance, and check for atoms on one place"
        )
    return SymmetryReport(
        number=int(data.number),
        symbol=str(data.international),
        hall_number=int(data.hall_number),
        hall_symbol=str(data.hall),
        point_group=str(data.pointgroup),
        choice=str(data.choice),
        symprec=symprec,
        rotations=np.array(data.rotations, int),
        translations=np.array(data.translations, float),
        wyckoffs=tuple(data.wyckoffs),
        site_symmetries=tuple(data.site_symmetry_symbols),
        equivalent_atoms=np.array(data.crystallographic_orbits, int),
        transformation=np.array(data.transformation_matrix, float),
        origin_shift=np.array(data.origin_shift, float),
    )


@dataclass(frozen=True)
class LayerGroup:
    """One of the 80 layer groups: number and symbol of International Tables E."""

    number: int
    symbol: str

    def __str__(self) -> str:
        return f"{self.symbol} ({self.number})"


def report_layer_group(crystal: Crystal, symprec: float) -> LayerGroup | None:
    """Find the layer group of a layer with spglib; None for a crystal, and where spglib finds none.

    Examples
    --------
    >>> import numpy as np
    >>> plane = np.array([[2.46, 0, 0], [-1.23, 1.23 * 3**0.5, 0], [0, 0, 15]])
    >>> places = np.array([[1 / 3, 2 / 3, 0.5], [2 / 3, 1 / 3, 0.5]])
    >>> graphene = Crystal(plane, places, ("C", "C"), periodic=(True, True, False))
    >>> str(report_layer_group(graphene, 1e-3))
    'p6/mmm (80)'
    """
    if not is_layer(crystal):
        return None
    flat = layer_cell(crystal)
    data = _ask(
        spglib.get_symmetry_layerdataset,
        (flat.lattice, flat.positions, flat.kinds),
        aperiodic_dir=2,
        symprec=symprec,
    )
    return None if data is None else LayerGroup(int(data.number), str(data.international))


@functools.cache
def _hall_types() -> tuple[Any, ...]:
    with _either_switch():
        return tuple(spglib.get_spacegroup_type(h) for h in range(1, 531))


@functools.cache
def hall_entries(number: int) -> tuple[int, ...]:
    """Return the Hall numbers of all settings of a space group, the ISO-IR setting first."""
    entries = [t for t in _hall_types() if t.number == number]
    if not entries:
        raise SymmetryError(f"space groups have numbers from 1 to 230, received {number}")
    standard = next(t for choice in _CHOICES for t in entries if t.choice == choice)
    return (standard.hall_number, *(t.hall_number for t in entries if t is not standard))


def symbol_of(number: int) -> str:
    """Return the short Hermann-Mauguin symbol of a space group in its standard setting."""
    return str(_hall_types()[hall_entries(number)[0] - 1].international_short)


@functools.cache
def hall_operations(hall_number: int) -> tuple[np.ndarray, np.ndarray]:
    """Return rotations (n, 3, 3) and translation numerators (n, 3) of a Hall entry, centring copies included."""
    with _either_switch():
        data = spglib.get_symmetry_from_database(hall_number)
    if data is None:
        raise SymmetryError(f"Hall numbers run from 1 to 530, received {hall_number}")
    rotations = np.array(data["rotations"], int)
    translations = np.rint(np.array(data["translations"]) * DENOMINATOR).astype(int) % DENOMINATOR
    return rotations, translations


@functools.cache
def centring_letter(number: int) -> str:
    """Return the centring letter of a space group in the ISO-IR setting."""
    return symbol_of(number)[0]


@functools.cache
def standard_group(number: int) -> SpaceGroup:
    """Return a space group in the primitive basis of its ISO-IR setting (`CENTRINGS`)."""
    rotations, translations = hall_operations(hall_entries(number)[0])
    _, first = np.unique(rotations.reshape(len(rotations), 9), axis=0, return_index=True)
    first = np.sort(first)
    basis = CENTRINGS[centring_letter(number)]
    to_primitive = np.linalg.inv(basis).T
    primitive = to_primitive @ rotations[first] @ basis.T
    shifts = translations[first] @ to_primitive.T
    return SpaceGroup(
        number,
        symbol_of(number),
        np.rint(primitive).astype(int),
        np.rint(shifts).astype(int) % DENOMINATOR,
    )


def identify_group(rotations: np.ndarray, translations: np.ndarray, lattice: np.ndarray) -> tuple[int, str]:
    """Name the space-group type of a set of operations.

    Parameters
    ----------
    rotations, translations : (n, 3, 3) int, (n, 3) float
        Operations modulo the lattice translations, which must form a group, in the basis ``lattice`` (rows).

    Returns
    -------
    number, symbol
    """
    found = _ask(
        spglib.get_spacegroup_type_from_symmetry,
        np.asarray(rotations, dtype="intc"),
        np.asarray(translations, dtype=float),
        lattice=np.asarray(lattice, dtype=float),
        symprec=1e-4,
    )
    if found is None:
        raise SymmetryError(f"spglib cannot name the space group of {len(rotations)} operations")
    return int(found.number), str(found.international_short)


def standard_setting(
    rotations: np.ndarray, translations: np.ndarray, lattice: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the standard basis (rows) and origin of a group of operations, both in the basis given.

    A crystal with just these operations (two orbits of general points) is made for spglib to look at.

    Parameters
    ----------
    rotations, translations : (n, 3, 3) int, (n, 3)
        All operations modulo the lattice translations, in the basis ``lattice`` (rows), which is primitive.
    """
    points = np.array([[0.1371, 0.2718, 0.0513], [0.3141, 0.0577, 0.4127]])
    images = np.concatenate([rotations @ point + translations for point in points])
    n = len(rotations)
    crystal = Crystal(20 * np.asarray(lattice), images - np.floor(images), ("H",) * n + ("He",) * n)
    report = report_symmetry(crystal, 1e-4)
    inverse = np.linalg.inv(report.transformation)
    origin = -inverse @ report.origin_shift
    return inverse.T, origin - np.floor(origin + 1e-6)


def setting_symbol(number: int, rotations: np.ndarray, translations: np.ndarray) -> str | None:
    """Return the Hermann-Mauguin symbol of the tabulated setting with just these operations, None if there is none.

    Parameters
    ----------
    number : int
    rotations, translations : (n, 3, 3) int, (n, 3) float
        All operations of the cell, centring included.
    """
    mine = {_operation_key(r, t) for r, t in zip(rotations, translations, strict=True)}
    for hall in hall_entries(number):
        table = hall_operations(hall)
        theirs = {_operation_key(r, t / DENOMINATOR) for r, t in zip(*table, strict=True)}
        if mine == theirs:
            return str(_hall_types()[hall - 1].international).split("=")[-1].strip()
    return None


def _operation_key(rotation: np.ndarray, translation: np.ndarray) -> tuple[int, ...]:
    shift = np.rint(np.asarray(translation) * DENOMINATOR).astype(int) % DENOMINATOR
    return (*np.asarray(rotation).astype(int).ravel().tolist(), *shift.tolist())


def point_group(rotations: np.ndarray) -> str:
    """Name the crystallographic point group of rotations (n, 3, 3) int, which must form a group."""
    found = _ask(spglib.get_pointgroup, np.asarray(rotations, dtype="intc"))
    if found is None:
        raise SymmetryError(f"spglib cannot name the point group of {len(rotations)} rotations")
    return str(found[0]).strip()


def reduced_cell(lattice: np.ndarray) -> np.ndarray:
    """Return the Niggli-reduced basis (rows) of a lattice, in the same orientation."""
    reduced = _ask(spglib.niggli_reduce, lattice, eps=1e-5)
    if reduced is None:
        raise SymmetryError("spglib cannot reduce this lattice; check the cell")
    return np.array(reduced)


def tolerance_ladder(crystal: Crystal) -> tuple[SymmetryReport, ...]:
    """Report a crystal's symmetry at tolerances from 1e-5 to 0.1 angstrom, three to a decade.

    Tolerances at which spglib finds no group (0.1 may be too coarse) are left out.
    """
    found = []
    for symprec in (float(f"{digit}e{power}") for power in range(-5, -1) for digit in (1, 2, 5)):
        with contextlib.suppress(SymmetryError):
            found.append(report_symmetry(crystal, symprec))
    with contextlib.suppress(SymmetryError):
        found.append(report_symmetry(crystal, 0.1))
    return tuple(found)
