"""Structures and distortions in the formats of other programs; every function returns text."""

from .childcell import ChildCell, child_cell
from .cif import child_cif
from .isocif import iso_cif
from .vesta import displacement_vesta
from .xyz import extended_xyz

__all__ = ["ChildCell", "child_cell", "child_cif", "displacement_vesta", "extended_xyz", "iso_cif"]
