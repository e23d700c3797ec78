"""Write crystals as CIF and POSCAR."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orderparam.errors import InvalidInputError

from .crystal import Crystal, right_handed
from .mixtures import is_mixed, site_formula
from .quiet import quiet

if TYPE_CHECKING:
    from collections.abc import Sequence


def crystal_to_cif(crystal: Crystal, *, symprec: float | None = None) -> str:
    """Return the crystal as CIF text: P1 with all atoms, or with its symmetry when ``symprec`` is given."""
    from pymatgen.io.cif import CifWriter

    with quiet():
        # pymatgen's own angle tolerance of 5 degrees would straighten small shears
        writer = CifWriter(
            right_handed(crystal).to_pymatgen(), symprec=symprec, significant_figures=12, angle_tolerance=-1.0
        )
        return str(writer)


def check_whole_elements(species: Sequence[str], form: str) -> None:
    """Refuse mixed or partly empty sites where a format has none.

    Raises
    ------
    InvalidInputError
    """
    mixed = next(filter(is_mixed, species), None)
    if mixed is not None:
        raise InvalidInputError(
            f"{form} has no occupancies, and the crystal has a site {site_formula(mixed)}; write a .cif"
        )


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
        return Poscar(right_handed(crystal).to_pymatgen()).get_str(significant_figures=12)
