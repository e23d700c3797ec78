"""The parent in a supercell: its sites, the elements of its space group, and the subgroups that a child keeps.

The elements are counted modulo the supercell's translations: {W|w + t} with W, w one of the parent's operations and t
one of the translations of the primitive lattice modulo those of the supercell. A set of elements is a boolean array
(n_operations, n_cells), row by row the operations, column by column the translations.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .crystals.crystal import Crystal
from .crystals.layers import carried
from .errors import SymmetryError
from .lattice import QuotientLattice, adjugate, determinant, lattice_basis
from .parent import Parent
from .siteaction import SiteAction
from .spacegroup import identify_group, reduced_cell


@dataclass(frozen=True, eq=False)
class Supercell:
    """The parent's sites within a supercell.

    Attributes
    ----------
    parent : Parent
    matrix : (3, 3) int
        The supercell's basis vectors (rows) in the parent's primitive basis, determinant positive.
    sites : (n,) int
        Site of the primitive cell that each atom is a copy of.
    cells : (n, 3) int
        The primitive cell in which it stands: its position is ``parent positions[site] + cell``.
    """

    parent: Parent
    matrix: np.ndarray
    sites: np.ndarray
    cells: np.ndarray

    @classmethod
    def build(cls, parent: Parent, matrix: np.ndarray) -> Supercell:
        """Return the supercell with its atoms in the order sites, then cells."""
        cells = QuotientLattice(matrix).representatives
        n_sites = parent.crystal.n_sites
        return cls(parent, np.array(matrix), np.repeat(np.arange(n_sites), len(cells)), np.tile(cells, (n_sites, 1)))

    @cached_property
    def quotient(self) -> QuotientLattice:
        """The parent's translations modulo those of the supercell."""
        return QuotientLattice(self.matrix)

    @property
    def n_atoms(self) -> int:
        """Number of atoms in the supercell."""
        return len(self.sites)

    @property
    def n_cells(self) -> int:
        """Number of primitive cells in the supercell."""
        return self.quotient.order

    @property
    def n_elements(self) -> int:
        """Number of elements of the parent's group modulo the supercell's translations."""
        return self.parent.group.order * self.n_cells

    @property
    def translations(self) -> np.ndarray:
        """Translations (n_cells, 3) that stand for the cosets, integers in the primitive basis."""
        return self.quotient.representatives

    @property
    def lattice(self) -> np.ndarray:
        """Basis vectors (rows), angstrom."""
        return self.matrix @ self.parent.lattice

    @cached_property
    def periodic(self) -> tuple[bool, bool, bool]:
        """Along which basis vectors the crystal repeats; not along that through the vacuum of a layer."""
        return carried(self.parent.crystal, self.lattice)

    @cached_property
    def positions(self) -> np.ndarray:
        """Fractional coordinates (n, 3) in the supercell's basis."""
        return (self.parent.crystal.positions[self.sites] + self.cells) @ np.linalg.inv(self.matrix)

    @property
    def points(self) -> np.ndarray:
        """Cartesian coordinates (n, 3) about the origin of a finite set's atoms, angstrom."""
        return (self.positions - np.rint(self.positions)) @ self.lattice

    @property
    def species(self) -> tuple[str, ...]:
        """Species of every atom."""
        return tuple(self.parent.crystal.species[s] for s in self.sites)

    @property
    def labels(self) -> tuple[str, ...]:
        """Parent site label of every atom."""
        return tuple(self.parent.crystal.labels[s] for s in self.sites)

    @cached_property
    def _atom_at(self) -> np.ndarray:
        """Atom at (site, cell index): (n_sites, n_cells) int."""
        table = np.empty((self.parent.crystal.n_sites, self.n_cells), int)
        table[self.sites, self.quotient.index(self.cells)] = np.arange(self.n_atoms)
        return table

    def atoms_at(self, sites: np.ndarray, cells: np.ndarray) -> np.ndarray:
        """Return the atoms that are the copies of primitive sites (m,) in primitive cells (m, 3)."""
        return self._atom_at[sites, self.quotient.index(cells)]

    def permutations(self, elements: np.ndarray) -> np.ndarray:
        """Return where elements send the atoms.

        Parameters
        ----------
        elements : (m, 2) int
            Pairs (operation, index of the translation). Each must map the supercell's lattice onto itself.

        Returns
        -------
        (m, n_atoms) int
        """
        parent, (operations, shifts) = self.parent, elements.T
        sites = parent.targets[operations][:, self.sites]
        turned = np.einsum("gab,nb->gna", parent.group.rotations[operations], self.cells)
        cells = turned + parent.shifts[operations][:, self.sites] + self.translations[shifts][:, None]
        return self.atoms_at(sites, cells)

    def wave_vectors(self) -> np.ndarray:
        """Return all wave vectors commensurate with the supercell, integers (n_cells, 3) over `n_cells`.

        k is commensurate when ``k . t`` is an integer for every row t of the matrix; k = numerators / n_cells in the
        primitive reciprocal basis, reduced to [0, 1).
        """
        numerators = QuotientLattice(self.matrix.T).representatives @ adjugate(self.matrix).T
        numerators = numerators * int(np.sign(determinant(self.matrix)))
        return numerators % self.n_cells

    def fourier(self, values: np.ndarray, k: np.ndarray) -> np.ndarray:
        """Return the Fourier coefficients of a field.

        ``F_k(site) = n_cells^-1 sum_t f(site, t) exp(+2 pi i k . t)``, so that ``f(site, t) = sum_k F_k(site)
        exp(-2 pi i k . t)`` and ``sum_k |F_k|^2`` is the mean square per primitive cell. Where k is not commensurate
        with the supercell the coefficient is zero.

        Parameters
        ----------
        values : (n_atoms, d)
        k : (m, 3)
            In the primitive reciprocal basis.

        Returns
        -------
        (m, n_sites, d) complex
        """
        turns = k @ self.matrix.T
        commensurate = np.all(np.abs(turns - np.rint(turns)) < 1e-6, axis=1)
        phases = commensurate[:, None] * np.exp(2j * np.pi * (k @ self.cells.T)) / self.n_cells
        out = np.zeros((len(k), self.parent.crystal.n_sites, values.shape[1]), complex)
        for site in range(out.shape[1]):
            mine = self.sites == site
            out[:, site] = phases[:, mine] @ values[mine]
        return out

    def synthesise(self, coefficients: np.ndarray, k: np.ndarray) -> np.ndarray:
        """Return the real field (..., n_atoms, d) of Fourier coefficients (..., m, n_sites, d); inverts `fourier`."""
        phases = np.exp(-2j * np.pi * (k @ self.cells.T))
        return np.einsum("mn,...mnd->...nd", phases, coefficients[..., self.sites, :]).real

    def with_displacements(self, displacements: np.ndarray, strain: np.ndarray, name: str = "") -> Crystal:
        """Return the distorted crystal: every atom moved by (n, 3) angstrom, then the whole strained by 1 + strain."""
        positions = self.positions + displacements @ np.linalg.inv(self.lattice)
        lattice = self.lattice @ (np.eye(3) + strain)
        return Crystal(lattice, positions, self.species, self.labels, name, periodic=self.periodic)


@dataclass(frozen=True, eq=False)
class Subgroup:
    """A subgroup of the parent's space group that holds all translations of a supercell.

    Attributes
    ----------
    supercell : Supercell
    elements : (n_operations, n_cells) bool
        The elements that belong to it.
    """

    supercell: Supercell
    elements: np.ndarray

    def __post_init__(self) -> None:
        self.elements.setflags(write=False)

    @property
    def index(self) -> int:
        """Index in the parent's group: the number of domains."""
        return self.elements.size // self.order

    @property
    def order(self) -> int:
        """Number of elements, modulo the supercell's translations."""
        return int(self.elements.sum())

    @cached_property
    def pairs(self) -> np.ndarray:
        """The elements as pairs (operation, translation index), the identity first (m, 2)."""
        pairs = np.argwhere(self.elements)
        identity = (self.supercell.parent.group.rotations[pairs[:, 0]] == np.eye(3, dtype=int)).all(axis=(1, 2))
        first = np.flatnonzero(identity & (pairs[:, 1] == 0))
        if len(first) != 1:
            raise SymmetryError("a subgroup must hold the identity")
        return np.concatenate([pairs[first], np.delete(pairs, first, axis=0)])

    @cached_property
    def lattice_basis(self) -> np.ndarray:
        """Basis (rows, primitive units) of the translations of the subgroup, Niggli-reduced."""
        identity = int(np.flatnonzero((self.supercell.parent.group.rotations == np.eye(3)).all(axis=(1, 2)))[0])
        own = self.supercell.translations[self.elements[identity]]
        basis = lattice_basis(np.concatenate([own, self.supercell.matrix]))
        reduced = reduced_cell(basis @ self.supercell.parent.lattice)
        basis = np.rint(reduced @ np.linalg.inv(self.supercell.parent.lattice)).astype(int)
        return basis if np.linalg.det(basis) > 0 else -basis

    def operations(self) -> tuple[np.ndarray, np.ndarray]:
        """Return rotations and translations (float) in the basis `lattice_basis`, one per rotation part."""
        group = self.supercell.parent.group
        present = np.flatnonzero(self.elements.any(axis=1))
        shifts = self.supercell.translations[self.elements[present].argmax(axis=1)]
        columns = self.lattice_basis.T
        inverse = np.linalg.inv(columns)
        rotations = np.rint(inverse @ group.rotations[present] @ columns).astype(int)
        translations = (group.translation_parts[present] + shifts) @ inverse.T
        return rotations, translations - np.floor(translations + 1e-9)

    @cached_property
    def space_group(self) -> tuple[int, str]:
        """Number and symbol of the space-group type."""
        rotations, translations = self.operations()
        return identify_group(rotations, translations, self.lattice_basis @ self.supercell.parent.lattice)

    def action(self) -> SiteAction:
        """Return how the subgroup acts on the supercell's atoms (its elements must keep the supercell's lattice)."""
        return SiteAction(
            self.supercell.parent.rotations_cart[self.pairs[:, 0]], self.supercell.permutations(self.pairs)
        )

    def __and__(self, other: Subgroup) -> Subgroup:
        return Subgroup(self.supercell, self.elements & other.elements)

    def __le__(self, other: Subgroup) -> bool:
        return bool((~self.elements | other.elements).all())

    def __str__(self) -> str:
        number, symbol = self.space_group
        return f"{symbol} ({number}), index {self.index}"
