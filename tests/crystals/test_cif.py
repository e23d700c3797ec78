"""CIFs as people write them: each is read as its author meant, with a note where there was a choice, or refused."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from orderparam.crystals.cif import choice, sites
from orderparam.crystals.cif.operations import from_hall, from_listing
from orderparam.crystals.cif.species import element_of, elements_of_formula, elements_of_sum
from orderparam.crystals.reading import read_crystal
from orderparam.crystals.settings import all_settings
from orderparam.errors import InvalidInputError
from orderparam.lattice import cell_vectors
from orderparam.spacegroup import report_symmetry

PEROVSKITE = ("Sr1 Sr 0 0 0", "Ti1 Ti .5 .5 .5", "O1 O .5 .5 0")
LISTED = "loop_\n_symmetry_equiv_pos_as_xyz\n"


def cif(*atoms, cell=(3.9,) * 3, angles=(90.0,) * 3, symmetry=(), occupancy=False, head="data_x"):
    lines = [head, *symmetry]
    lines += [f"_cell_length_{axis} {value}" for axis, value in zip("abc", cell, strict=True)]
    lines += [f"_cell_angle_{angle} {v}" for angle, v in zip(("alpha", "beta", "gamma"), angles, strict=True)]
    lines += ["loop_", "_atom_site_label", "_atom_site_type_symbol", *(f"_atom_site_fract_{axis}" for axis in "xyz")]
    lines += ["_atom_site_occupancy"] if occupancy else []
    return "\n".join([*lines, *atoms]) + "\n"


def symbol(text):
    return f"_symmetry_space_group_name_H-M '{text}'"


def number(n):
    return f"_symmetry_Int_Tables_number {n}"


@pytest.fixture
def read(tmp_path):
    def call(text, **options):
        path = tmp_path / "a.cif"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_crystal(path, **options)

    return call


def contents(crystal):
    return dict(Counter(crystal.species))


# ---- where several things are stated, or too little


@pytest.mark.parametrize(("x", "taken"), [(0.0, "F d -3 m:1"), (0.125, "F d -3 m:2")])
def test_distances_decide_between_two_origins(read, x, taken):
    """Diamond on 8a: at the other origin 16 atoms would stand 1.92 angstrom apart."""
    crystal = read(cif(f"Si1 Si {x} {x} {x}", cell=(5.43,) * 3, symmetry=[symbol("F d -3 m")]))
    assert contents(crystal) == {"Si": 8}
    assert f"{taken} is taken, not" in crystal.notes[0]


def test_formula_and_number_of_units_decide(read):
    lines = [symbol("F d -3 m"), "_chemical_formula_sum Si", "_cell_formula_units_Z 16"]
    assert contents(read(cif("Si1 Si 0 0 0", cell=(5.43,) * 3, symmetry=lines))) == {"Si": 16}


def test_the_cell_decides_between_hexagonal_and_rhombohedral_axes(read):
    calcite = ("Ca Ca 0 0 0", "C C .25 .25 .25", "O O .5068 -.0068 .25")
    short = read(cif(*calcite, cell=(6.36,) * 3, angles=(46.1,) * 3, symmetry=[symbol("R -3 c")]))
    hexagonal = ("Ca Ca 0 0 0", "C C 0 0 .25", "O O .2568 0 .25")
    long = read(cif(*hexagonal, cell=(4.99, 4.99, 17.06), angles=(90, 90, 120), symmetry=[symbol("R -3 c")]))
    assert contents(short) == {"Ca": 2, "C": 2, "O": 6}
    assert contents(long) == {"Ca": 6, "C": 6, "O": 18}
    assert short.notes == long.notes == ()


@pytest.mark.parametrize("other", [number(225), number(62), "_symmetry_space_group_name_Hall '-F 4 2 3'"])
def test_contradictions_are_settled_by_the_structure_and_said(read, other):
    crystal = read(cif(*PEROVSKITE, symmetry=[symbol("P m -3 m"), other]))
    assert contents(crystal) == {"Sr": 1, "Ti": 1, "O": 3}
    assert "contradict each other; P m -3 m is taken" in crystal.notes[0]


def test_a_symbol_that_names_the_type_alone(read):
    """Pnma beside the axes of Pbnm: the standard setting does not give the stated formula, another one does."""
    atoms = ("La La 0 0 .25", "Mn Mn .5 0 0", "O1 O .07 .49 .25", "O2 O .72 .3 .04")
    stated = ["_chemical_formula_sum 'La Mn O3'", "_cell_formula_units_Z 4"]
    cell = (5.54, 5.75, 7.69)
    crystal = read(cif(*atoms, cell=cell, symmetry=[symbol("Pnma"), *stated]), setting="Pbnm")
    assert contents(crystal) == {"La": 4, "Mn": 4, "O": 12}
    with pytest.raises(InvalidInputError, match=r"can mean .*choose with --setting"):
        read(cif(*atoms, cell=cell, symmetry=[symbol("Pnma"), *stated]))


def test_a_number_alone_is_the_standard_setting_and_says_so(read):
    crystal = read(cif("La La 0.1 .25 .3", "O O .4 .25 .1", cell=(5.7, 7.7, 5.5), symmetry=[number(62)]))
    assert contents(crystal) == {"La": 4, "O": 4}
    assert "its standard setting P n m a is taken" in crystal.notes[0]
    assert read(cif(*PEROVSKITE, symmetry=[number(221)])).notes == ()  # it has one setting alone


def test_no_symmetry_stated_is_said_and_refused_where_the_formula_forbids_it(read):
    assert "states no symmetry" in read(cif(*PEROVSKITE)).notes[0]
    with pytest.raises(InvalidInputError, match="states no symmetry, and the sites give Sr1 Ti1 O1"):
        read(cif(*PEROVSKITE, symmetry=["_chemical_formula_sum 'Sr Ti O3'", "_cell_formula_units_Z 1"]))


def test_the_identity_alone_beside_a_symbol(read):
    lines = [symbol("P m -3 m"), LISTED + "'x,y,z'"]
    with pytest.raises(InvalidInputError, match="choose with --setting"):
        read(cif(*PEROVSKITE, symmetry=lines))
    assert contents(read(cif(*PEROVSKITE, symmetry=lines), setting="Pm-3m"))["O"] == 3
    assert contents(read(cif(*PEROVSKITE, symmetry=lines), setting="operations"))["O"] == 1
    everything = (*PEROVSKITE, "O2 O .5 0 .5", "O3 O 0 .5 .5")
    assert contents(read(cif(*everything, symmetry=lines))) == {"Sr": 1, "Ti": 1, "O": 3}


def test_all_atoms_listed_beside_the_operations_are_taken_once(read):
    everything = (*PEROVSKITE, "O2 O .5 0 .5", "O3 O 0 .5 .5")
    crystal = read(cif(*everything, symmetry=[symbol("P m -3 m")]))
    assert contents(crystal) == {"Sr": 1, "Ti": 1, "O": 3}
    assert "each is taken once" in crystal.notes[0]
    with pytest.raises(InvalidInputError, match="O1 and O2"):
        read(cif(*everything[:-1], symmetry=[symbol("P m -3 m")]))


def test_mixed_sites_listed_in_full_keep_their_occupancies(read):
    everything = ("Ca1 Ca 0 0 0 .5", "Sr1 Sr 0 0 0 .5", "Ca2 Ca .5 .5 .5 .5", "Sr2 Sr .5 .5 .5 .5")
    crystal = read(cif(*everything, symmetry=[symbol("I m -3 m")], occupancy=True))
    assert contents(crystal) == {"Ca0.5Sr0.5": 2}


SALT = ("Na1 Na 0 0 0", "Cl1 Cl .5 .5 .5")
SALT_FORMULA = ["_chemical_formula_sum 'Na Cl'", "_cell_formula_units_Z 4"]


def test_a_part_of_the_atoms_is_no_structure(read):
    """NaCl by its asymmetric unit alone: P1 would have one formula unit of four, and no bond."""
    cell = {"cell": (5.64,) * 3}
    both = [symbol("F m -3 m"), LISTED + "'x,y,z'"]
    for lines in ([*both, *SALT_FORMULA], both):
        crystal = read(cif(*SALT, **cell, symmetry=lines))
        assert contents(crystal) == {"Na": 4, "Cl": 4}
        assert "F m -3 m is taken" in crystal.notes[0]
    for facts in (SALT_FORMULA, ["_exptl_crystal_density_diffrn 2.165"]):
        with pytest.raises(InvalidInputError, match="states no symmetry, and the sites give"):
            read(cif(*SALT, **cell, symmetry=facts))
    assert "stated formula is" in read(cif(*SALT, **cell, symmetry=[symbol("P 1"), *SALT_FORMULA])).notes[0]


def test_the_contents_of_the_cell_as_formula_with_z_beside(read):
    """As pymatgen writes it."""
    lines = [symbol("F m -3 m"), "_chemical_formula_sum 'Na4 Cl4'", "_cell_formula_units_Z 4"]
    assert read(cif(*SALT, cell=(5.64,) * 3, symmetry=lines)).notes == ()


def test_half_sites_listed_twice_are_not_taken_once(read):
    """Fe2+ at x and Fe3+ at -x, half each: one full site or two halves, which only the author knows."""
    atoms = ("Fe1 Fe2+ .2 .3 .1 .5", "Fe2 Fe3+ .8 .7 .9 .5", "O1 O2- 0 0 0 1")
    with pytest.raises(InvalidInputError, match="Fe1 and Fe2"):
        read(cif(*atoms, cell=(5, 6, 7), symmetry=[symbol("P -1")], occupancy=True))
    again = [atom.replace("Fe3+", "Fe2+") for atom in atoms]
    crystal = read(cif(*again, cell=(5, 6, 7), symmetry=[symbol("P -1")], occupancy=True))
    assert contents(crystal) == {"Fe0.5": 2, "O": 1}
    assert "each is taken once" in crystal.notes[0]


def test_several_symbols_are_taken_together(read):
    lines = [symbol("F d -3 m"), "_space_group_name_H-M_alt 'F d -3 m :1'"]
    crystal = read(cif("Si1 Si 0 0 0", cell=(5.43,) * 3, symmetry=lines))
    assert contents(crystal) == {"Si": 8}
    assert crystal.notes == ()


# ---- what a stranger found


@pytest.mark.parametrize(
    ("lines", "angles", "fixed"),
    [
        ([symbol("P 63/m m c")], (90, 90, None), "gamma 120"),
        ([symbol("P m -3 m")], (None, None, None), "alpha 90, beta 90, gamma 90"),
        ([symbol("P 1 21/c 1")], (None, 100, 90), "alpha 90"),
        ([symbol("P 1 21/c 1")], (90, None, 90), None),
        ([symbol("P -1")], (80, None, 95), None),
        ([symbol("P -1")], (None, None, None), None),
        ([], (90, 90, None), None),
    ],
)
def test_angles_that_are_not_given(read, lines, angles, fixed):
    """Those that the symmetry fixes are taken and said; a free one is never 90 by itself."""
    shown = ["?" if angle is None else angle for angle in angles]
    text = cif("Ti1 Ti .1 .2 .3", cell=(5, 5, 5), angles=shown, symmetry=lines)
    if fixed is None:
        with pytest.raises(InvalidInputError, match="is missing, and the symmetry does not fix it"):
            read(text)
    else:
        assert any(f"follow from its symmetry: {fixed}" in note for note in read(text).notes)


def test_atoms_that_are_too_near_are_said(read):
    """PbO of P4/nmm in the other origin: Pb on O."""
    atoms = ("Pb1 Pb 0 .5 .2385", "O1 O 0 0 0")
    cell = {"cell": (3.976, 3.976, 5.023)}
    right = read(cif(*atoms, **cell, symmetry=[symbol("P 4/n m m S")]))
    assert contents(right) == {"Pb": 2, "O": 2}
    assert right.notes == ()
    mended = read(cif(*atoms, **cell, symmetry=[symbol("P 4/n m m Z")]))
    assert contents(mended) == {"Pb": 2, "O": 2}
    assert "does not fit the structure; the setting P 4/n m m:1 does" in mended.notes[0]
    near = cif("Pb1 Pb 0 0 0", "O1 O 0 .25 .2", cell=(4, 4, 4), symmetry=[symbol("P 1")])
    assert "nearer than they can be" in read(near).notes[0]


def test_operations_without_the_centring(read):
    """48 operations of NaCl beside F m -3 m: with them alone atoms are missing."""
    group = from_hall("-P 4 2 3")
    texts = [
        ",".join("".join(f"{c:+d}{axis}" for c, axis in zip(row, "xyz", strict=True) if c) for row in w)
        for w in group.rotations
    ]
    crystal = read(cif(*SALT, cell=(5.64,) * 3, symmetry=[symbol("F m -3 m"), LISTED + "\n".join(texts)]))
    assert contents(crystal) == {"Na": 4, "Cl": 4}
    assert "F m -3 m is taken" in crystal.notes[0]


def test_hydrogen_without_sites_and_deuterium_beside_it(read):
    lines = [symbol("P m -3 m"), "_chemical_formula_sum 'N H4 Cl'"]
    notes = read(cif("N1 N .5 .5 .5", "Cl1 Cl 0 0 0", symmetry=lines)).notes
    assert any("has hydrogen, and no site holds any" in note for note in notes)
    both = cif("H1 H 0 0 0", "D1 D .5 .5 .5", "Li1 Li .5 .5 0", symmetry=[symbol("P m -3 m")])
    assert any("deuterium is read as hydrogen" in note for note in read(both).notes)
    by_label = cif("H1 ? 0 0 0", "D1 ? .5 .5 .5", symmetry=[symbol("P m -3 m")])
    assert any("deuterium is read as hydrogen" in note for note in read(by_label).notes)
    one = cif("D1 D .5 .5 .5", "Li1 Li 0 0 0", symmetry=[symbol("P m -3 m")])
    assert read(one).notes == ()


@pytest.mark.parametrize("label", ["UNK1", "Fe,Mg", "MgFe1", "Fe/Mg"])
def test_labels_of_no_one_element(read, label):
    with pytest.raises(InvalidInputError, match="no element known"):
        read(cif(f"{label} ? 0 0 0", symmetry=[symbol("P 1")]))


def test_water_is_oxygen(read):
    for label in ("Wat1", "H2O1", "OW", "Ow2", "OH"):
        assert read(cif(f"{label} ? 0 0 0", symmetry=[symbol("P 1")])).species == ("O",)


def test_unquoted_operations_and_other_minus_signs(read):
    crystal = read(cif(*PEROVSKITE, symmetry=[LISTED + " x, y, z\n -x, -y, -z"]))
    assert contents(crystal) == {"Sr": 1, "Ti": 1, "O": 1}
    assert "operations with blanks" in crystal.notes[0]
    numbered = "loop_\n_symmetry_equiv_pos_site_id\n_symmetry_equiv_pos_as_xyz\n1 x, y, z\n2 -x, -y, -z"
    crystal = read(cif(*PEROVSKITE, symmetry=[numbered]))
    assert contents(crystal) == {"Sr": 1, "Ti": 1, "O": 1}
    assert "operations with blanks" in crystal.notes[0]
    assert contents(read(cif(*PEROVSKITE, symmetry=[symbol("P m \u22123 m")])))["O"] == 3


def test_dummies_need_no_element(read):
    text = cif("Sr1 Sr 0 0 0 Uani", "Q1 ? .5 .5 .5 dum", symmetry=[symbol("P m -3 m")], occupancy=True)
    crystal = read(text.replace("_atom_site_occupancy", "_atom_site_calc_flag"))
    assert crystal.species == ("Sr",)
    assert "Q1 (a dummy)" in crystal.notes[0]


def test_a_setting_is_for_cifs(tmp_path):
    path = tmp_path / "POSCAR"
    path.write_text("title\n1.0\n4 0 0\n0 4 0\n0 0 4\nNa Cl\n1 1\nDirect\n0 0 0\n.5 .5 .5\n")
    with pytest.raises(InvalidInputError, match="only a CIF can be read in a setting"):
        read_crystal(path, setting="Pm-3m")


# ---- bad input: a line each


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([symbol("P m -4 m")], "no space-group symbol; the nearest known ones are P m -3 m"),
        (["_symmetry_space_group_name_Hall '-P 4q 2 3'"], "no Hall symbol"),
        ([number(999)], "expected 1 to 230"),
        ([LISTED + "x,y,z\ny,z"], "'y,z' is no symmetry operation"),
        ([LISTED + "x,y,z\nx,x,z"], "does not keep volumes"),
        ([LISTED + "x,y,z\nxy,y,z"], "'xy' is not understood"),
        ([LISTED + "x,y,z\nx+y,y,z"], "no finite group"),
        (["_cell_modulation_dimension 1"], "a modulated structure"),
        (["_space_group_magn.number_BNS 62.448"], "lists no operations"),
        ([symbol("P 63/m m c")], "does not have the symmetry that the file states"),
    ],
)
def test_bad_symmetry(read, lines, message):
    with pytest.raises(InvalidInputError, match=message) as caught:
        read(cif(*PEROVSKITE, symmetry=lines))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("lines", [[symbol("P m -4 m")], ["_symmetry_space_group_name_Hall '-P 4q 2 3'"]])
def test_what_is_not_understood_is_said_where_something_else_serves(read, lines):
    crystal = read(cif(*PEROVSKITE, symmetry=[*lines, number(221)]))
    assert contents(crystal)["O"] == 3
    assert "taken from what else the file states" in crystal.notes[0]


@pytest.mark.parametrize(
    ("setting", "message"),
    [("Pxyz", "no space-group symbol"), ("231", "1 to 230"), ("operations", "lists no operations")],
)
def test_bad_settings(read, setting, message):
    with pytest.raises(InvalidInputError, match=message):
        read(cif(*PEROVSKITE, symmetry=[symbol("P m -3 m")]), setting=setting)


@pytest.mark.parametrize(
    ("atom", "message"),
    [
        ("M1 ? 0 0 0", "no element known by this name"),
        ("Sr1 Sr 0 0 ?", "expected numbers as coordinates"),
        ("Sr1 Sr 0 0 zero", "expected a number"),
        ("Va1 . 0 0 0", "no atom is left"),
    ],
)
def test_bad_sites(read, atom, message):
    with pytest.raises(InvalidInputError, match=message):
        read(cif(atom, symmetry=[symbol("P 1")]))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no structure"),
        ("data_x\nloop_\n_a\n_b\n1 2 3\n", "line 2"),
        ("data_x\n_t\n;\nabc\n", "unterminated text field"),
        (cif(*PEROVSKITE, cell=(3.9, 0, 3.9)), "lengths above 0"),
        (cif(*PEROVSKITE, angles=(10, 90, 170)), "no cell has these lengths and angles"),
    ],
)
def test_bad_files(read, text, message):
    with pytest.raises(InvalidInputError, match=message):
        read(text)


# ---- the grammar, tags and encodings that occur


@pytest.mark.parametrize(
    "text",
    [
        cif(*PEROVSKITE, symmetry=["_symmetry_space_group_name_H-M P m -3 m"]),
        cif(*PEROVSKITE, symmetry=[symbol("P m -3 m")], head="# no data_ line"),
        cif(*PEROVSKITE, symmetry=[symbol("P m -3 m")]).replace("\n", "\r\n").encode("utf-8-sig"),
        cif(*PEROVSKITE, symmetry=[symbol("P m -3 m"), "_publ_name 'M\xfcller'"]).encode("latin-1"),
        cif(*PEROVSKITE, symmetry=["_SPACE_GROUP_NAME_H-M_ALT 'P M -3 M'"]),
        cif(*PEROVSKITE, symmetry=["_space_group.name_Hall '-p 4 2 3'"]).replace("_cell_length_", "_cell.length_"),
        cif(*PEROVSKITE, symmetry=[symbol("P m -3 m (221)")]),
        cif(*PEROVSKITE, symmetry=[symbol("221")]),
        cif(*PEROVSKITE, symmetry=[symbol("Pm-3m, no. 221")]),
        "data_other\n_note 'no structure here'\n" + cif(*PEROVSKITE, symmetry=[symbol("P4/m -3 2/m")]),
    ],
)
def test_spellings_of_one_crystal(read, text):
    crystal = read(text)
    assert contents(crystal) == {"Sr": 1, "Ti": 1, "O": 3}
    assert report_symmetry(crystal, 1e-4).number == 221


def test_several_structures(read):
    both = cif(*PEROVSKITE, symmetry=[symbol("P m -3 m")], head="data_one")
    both += cif("Ba1 Ba 0 0 0", symmetry=[symbol("P m -3 m")], head="data_two")
    crystal = read(both)
    assert "Sr" in crystal.species
    assert "holds 2 structures; the first is used (data_one;" in crystal.notes[0]


# ---- sites


@pytest.mark.parametrize(
    ("kind", "label", "formula", "expected"),
    [
        ("Fe3+", "X", "", "Fe"), ("FE", None, "", "Fe"), ("O2-", None, "", "O"), ("D", "D1", "", "H"),
        (None, "Ca1", "", "Ca"), (None, "OA1", "", "O"), (None, "O(A1)", "", "O"), (None, "SiT", "", "Si"),
        (None, "CA1", "Ca O", "Ca"), (None, "CA1", "C O", "C"), (None, "HO1", "H O", "H"), ("Va", "V1", "", None),
        (None, "V1", "", "V"), ("V5+", "V1", "V O", "V"), (None, "Wat1", "Na O", "O"), (None, "Wat", "", "O"),
        (None, "W1", "W O", "W"), (None, "D1", "", "H"), ("T", "T1", "", "H"), ("Cval", None, "", "C"),
    ],
)  # fmt: skip
def test_elements(kind, label, formula, expected):
    assert element_of(kind, label, frozenset(formula.split())) == (expected, None)


def test_an_ambiguous_label_is_said():
    element, doubt = element_of(None, "CA1", frozenset())
    assert element == "Ca"
    assert "not C" in doubt


@pytest.mark.parametrize(
    ("text", "amounts"),
    [
        ("Ca Mg Si2 O6", {"Ca": 1, "Mg": 1, "Si": 2, "O": 6}), ("FE2 O3", {"Fe": 2, "O": 3}),
        ("CaCO3", {"Ca": 1, "C": 1, "O": 3}), ("SN O2", {"Sn": 1, "O": 2}),
        ("Fe0.95O", {"Fe": 0.95, "O": 1}), ("C H3 D", {"C": 1, "H": 4}), ("?", {}), ("(C6 H6)n", {}), (None, {}),
    ],
)  # fmt: skip
def test_formulas(text, amounts):
    assert elements_of_sum(text) == amounts


@pytest.mark.parametrize("text", ["K NO3", "KNO3", "K N O3"])
def test_structural_formulas_have_groups(text):
    assert elements_of_formula(text) == {"K": 1, "N": 1, "O": 3}


def test_names_that_are_no_element():
    with pytest.raises(InvalidInputError, match="no element known"):
        element_of(None, "T1", frozenset())
    assert "the stated formula does not have" in str(element_of(None, "W1", frozenset({"Na", "O"}))[1])


@pytest.mark.parametrize(
    "third", [(".333", ".667"), (".3333", ".6667"), (".333", ".666"), (".33", ".67"), ("1/3", "2/3")]
)
def test_rounded_thirds_are_thirds(read, third):
    atoms = (f"Mo Mo {' '.join(third)} .25", f"S S {' '.join(third)} .621")
    cell = {"cell": (3.16, 3.16, 12.3), "angles": (90, 90, 120)}
    crystal = read(cif(*atoms, **cell, symmetry=[symbol("P 63/m m c")]))
    assert contents(crystal) == {"Mo": 2, "S": 4}
    assert report_symmetry(crystal, 1e-5).number == 194
    moved = abs(1 / 3 - float(third[0])) * 3.16 if "/" not in third[0] else 0.0
    assert any("special positions" in note for note in crystal.notes) == (moved * np.sqrt(3) > sites.NOTED)


def test_the_operations_hold_afterwards():
    """Theorem: in every setting, a site rounded to three digits is on its orbit exactly, and has as many copies."""
    rng = np.random.default_rng(5)
    for setting in all_settings()[:530:7]:
        group = from_hall(setting.hall)
        g = rng.integers(group.order)
        w, t = group.rotations[g], group.translations[g]
        fixed, *_ = np.linalg.lstsq(w - np.eye(3), -t, rcond=None)
        if not np.allclose(w @ fixed + t, fixed, atol=1e-9):
            continue
        mean = np.mean([np.linalg.matrix_power(w, n) for n in range(12)], axis=0)
        exact = fixed + mean @ (rng.random(3) - fixed)
        rounded = np.round(exact, 3)
        metric = np.einsum("nji,nkl->il", group.rotations, group.rotations) * 0 + np.einsum(
            "nji,jk,nkl->il", group.rotations, np.diag([30.0, 40.0, 50.0]), group.rotations
        )
        lattice = np.linalg.cholesky(metric / group.order)
        orbits = [
            sites.expand([sites.Site("X", "Si", x, np.full(3, half))], group, lattice)[0][0]
            for x, half in ((rounded, 0.0005), (exact, 0.0))
        ]
        assert len(orbits[0].positions) == len(orbits[1].positions)
        images = group.rotations @ orbits[0].positions[0] + group.translations
        gaps = images[:, None] - orbits[0].positions[None]
        assert np.abs(gaps - np.rint(gaps)).max(axis=2).min(axis=1).max() < 1e-9


@pytest.mark.parametrize(("x", "n"), [(0.5 + 0.0249 / 2, 1), (0.5 + 0.0251 / 2, 2)])
def test_full_copies_without_room_are_one_atom(x, n):
    """The boundary of NO_ROOM: copies at x and 1 - x of a cell of 4 angstrom."""
    group, _ = from_listing(["x,y,z", "-x,y,z"])
    site = sites.Site("X", "Si", np.array([x, 0, 0]), np.zeros(3))
    (orbit,), _ = sites.expand([site], group, 4 * np.eye(3))
    assert len(orbit.positions) == n


def test_two_digits_that_differ_are_two_places():
    """0.33, 0.34: the digits of one number would be equal; without room for two atoms it is one all the same."""
    group, _ = from_listing(["x,y,z", "y,x,z"])
    for occupancy, n in ((0.5, 2), (1.0, 1)):
        site = sites.Site("X", "Si", np.array([0.33, 0.34, 0]), np.full(3, 0.005), occupancy)
        (orbit,), _ = sites.expand([site], group, 10 * np.eye(3))
        assert len(orbit.positions) == n


def test_slight_occupancies(read):
    """The boundary below which a site is empty."""
    for occupancy, species in ((0.002, "Fe0.002"), (0.0005, None)):
        text = cif("O1 O 0 0 0 1", f"Fe1 Fe .5 .5 .5 {occupancy}", symmetry=[symbol("P m -3 m")], occupancy=True)
        assert contents(read(text)) == {"O": 1, **({species: 1} if species else {})}


@pytest.mark.parametrize("beta", [90, 100])
def test_cartesian_coordinates(read, beta):
    def text(*lines):
        whole = cif(
            "Na1 Na 1 2 3", "Cl1 Cl 3 2 1", cell=(5, 6, 7), angles=(90, beta, 90), symmetry=[symbol("P 1"), *lines]
        )
        return whole.replace("_atom_site_fract_", "_atom_site_Cartn_")

    if beta == 90:
        assert read(text()).positions_cart == pytest.approx(np.array([[1, 2, 3], [3, 2, 1]]))
        return
    with pytest.raises(InvalidInputError, match="does not say how its axes stand"):
        read(text())
    exact = cell_vectors((5, 6, 7), (90, beta, 90)) @ np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]])
    rows = [f"_atom_sites_Cartn_tran_matrix_{i + 1}{j + 1} {exact[j, i]:.12f}" for i in range(3) for j in range(3)]
    crystal = read(text(*rows))
    assert crystal.positions @ exact == pytest.approx(np.array([[1, 2, 3], [3, 2, 1]]), abs=1e-9)


def test_split_positions_stay_split():
    group, _ = from_listing(["x,y,z", "-x,y,z"])
    for occupancy, n in ((0.5, 2), (0.51, 1)):
        site = sites.Site("X", "Si", np.array([0.505, 0, 0]), np.full(3, 0.0005), occupancy)
        (orbit,), _ = sites.expand([site], group, 4 * np.eye(3))
        assert len(orbit.positions) == n


def test_coarse_rounding_does_not_join_distant_copies():
    group, _ = from_listing(["x,y,z", "-x,y,z"])
    for length, n in ((60.0, 2), (49.0, 1)):  # 0.01 of the cell: 0.6 and 0.49 angstrom
        site = sites.Site("X", "Si", np.array([0.505, 0, 0]), np.full(3, 0.005))
        (orbit,), _ = sites.expand([site], group, length * np.eye(3))
        assert len(orbit.positions) == n


@pytest.mark.parametrize(("second", "fine"), [(0.40, True), (0.42, True), (0.43, False)])
def test_occupancies_that_sum_to_more_than_one(read, second, fine):
    atoms = ("Sr1 Sr 0 0 0 0.6", f"Ca1 Ca 0 0 0 {second}")
    text = cif(*atoms, symmetry=[symbol("P m -3 m")], occupancy=True)
    if not fine:
        with pytest.raises(InvalidInputError, match=r"sum to 1\.03"):
            read(text)
        return
    crystal = read(text)
    assert any("scaled to 1" in note for note in crystal.notes) == (second > 0.40)
    assert sum(float(x) for x in crystal.species[0].replace("Ca", " ").replace("Sr", " ").split()) == pytest.approx(1)


# ---- cells


@pytest.mark.parametrize(("stretch", "outcome"), [(0.9e-3, "exact"), (1.1e-3, "noted"), (0.031, "refused")])
def test_cells_that_do_not_have_the_symmetry_stated(read, stretch, outcome):
    """The boundaries of ROUNDED_CELL and STRAINED_CELL, parts of the metric: (1 + stretch) in a^2."""
    assert choice.ROUNDED_CELL == 1e-3
    assert choice.STRAINED_CELL == 0.03
    a = 4.0 * np.sqrt(1 + stretch)
    text = cif(*PEROVSKITE, cell=(a, 4.0, 4.0), symmetry=[symbol("P m -3 m")])
    if outcome == "refused":
        with pytest.raises(InvalidInputError, match="does not have the symmetry"):
            read(text)
        return
    crystal = read(text)
    lengths = np.linalg.norm(crystal.lattice, axis=1)
    assert (np.ptp(lengths) < 1e-12) == (outcome == "exact")
    assert any("it is taken as it stands" in note for note in crystal.notes) == (outcome == "noted")


# ---- operations


def test_listed_operations_are_closed(read):
    crystal = read(cif("Sr1 Sr .1 .1 .1", symmetry=[LISTED + "x,y,z\ny,z,x\n-x,-y,-z"]))
    assert contents(crystal) == {"Sr": 2}
    assert "the 3 operations listed are no whole group; the 6" in crystal.notes[0]


@pytest.mark.parametrize(
    "text", ["x+1/2,-y,z+0.3333", "1/2+X , -Y , .3333+Z", "x+1/2,-y,z-2/3", "x+1/2,-y,z+1/3,-1", "+x+.5,-y,z+-2/3"]
)
def test_notations_of_one_operation(text):
    group, n = from_listing([text])
    expected, _ = from_listing(["x+1/2,-y,z+1/3"])
    assert group.keys == expected.keys
    assert n == 1


@pytest.mark.parametrize(
    ("text", "value"),
    [("0.33", 1 / 3), ("0.66", 2 / 3), ("0.167", 1 / 6), ("0.166", 1 / 6), ("0.125", 1 / 8), ("0.20", 0.2),
     ("0.2", 0.2),     ("0.042", 1 / 24), ("0.14", 0.14)],
)  # fmt: skip
def test_decimals_of_operations(text, value):
    group, _ = from_listing([f"x+{text},y,z"])
    assert min(abs(group.translations[:, 0] - value)) < 1e-12
    assert round(group.order * value, 9).is_integer()


def test_translations_of_supercells():
    group, _ = from_listing(["x,y,z", "x+1/5,y,z"])
    assert group.order == 5
    assert sorted(group.translations[:, 0]) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8])


# ---- facts


@pytest.mark.parametrize(
    ("fact", "said"),
    [
        ("_cell_volume 70", "volume is 59.32"), ("_cell_volume 59.32", None),
        ("_exptl_crystal_density_diffrn 6.2", "g/cm"), ("_exptl_crystal_density_diffrn 5.14", None),
        ("_chemical_formula_sum 'Sr Ti O2'", "stated formula is Sr1 Ti1 O2"),
        ("_chemical_formula_sum 'O3 Sr Ti'", None),
    ],
)  # fmt: skip
def test_what_the_file_states_of_itself_is_compared(read, fact, said):
    crystal = read(cif(*PEROVSKITE, symmetry=[symbol("P m -3 m"), fact]))
    assert bool(crystal.notes) == (said is not None)
    assert said is None or said in crystal.notes[0]


def test_ignored_moments_are_named(read):
    loop = "loop_\n_atom_site_moment.label\n_atom_site_moment.crystalaxis_x\nTi1 1.5"
    crystal = read(cif(*PEROVSKITE, symmetry=[symbol("P m -3 m"), loop]))
    assert "moments (on Ti1) are left out" in crystal.notes[0]
