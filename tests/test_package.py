"""The package as a whole: what it exports, and what importing it costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import orderparam

ROOT = Path(__file__).parent.parent
HEAVY = {"torch", "plotly", "pymatgen", "e3nn", "scipy", "spglib"}
EXACT = ["perovskite/SrTiO3_221.cif", "perovskite/SrTiO3_140.cif"]


def modules_after(code: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter has loaded after running some code."""
    code += "\nimport sys; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def imports_of(path: Path) -> set[str]:
    """Return the top-level modules that a file imports while it runs (type checking apart)."""
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            return
        if isinstance(node, ast.Import):
            found.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.split(".")[0])
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(path.read_text()))
    return found


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert not modules_after("import orderparam") & HEAVY


def test_the_exact_half_does_not_load_torch() -> None:
    code = (
        "from orderparam import analyse, read_crystal, symmetrise\n"
        f"parent, child = (read_crystal('structures/' + name) for name in {EXACT})\n"
        "assert analyse(symmetrise(parent), child).primaries.labels == ('R4+',)"
    )
    loaded = modules_after(code)
    assert not loaded & {"torch", "plotly", "pymatgen"}
    assert {"spglib", "gemmi"} <= loaded  # the probe does see what is loaded


def test_a_poscar_is_read_without_pymatgen(tmp_path: Path) -> None:
    path = tmp_path / "POSCAR"
    path.write_text("salt\n5.6\n0 .5 .5\n.5 0 .5\n.5 .5 0\nNa Cl\n1 1\nDirect\n0 0 0\n.5 .5 .5\n")
    code = f"from orderparam import read_crystal\nassert read_crystal({str(path)!r}).n_sites == 2"
    assert not modules_after(code) & {"torch", "plotly", "pymatgen", "ase"}


def test_every_export_is_there() -> None:
    assert orderparam.__all__ == sorted(orderparam.__all__)
    assert set(orderparam.__all__) == set(orderparam._HOMES)
    for name in orderparam.__all__:
        assert getattr(orderparam, name).__module__.startswith("orderparam")
    assert set(orderparam.__all__) <= set(dir(orderparam))


def test_other_names_are_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        orderparam.nonsense  # noqa: B018


def test_the_version_is_one() -> None:
    assert version("orderparam") == orderparam.__version__
    assert f"version: {orderparam.__version__}" in (ROOT / "CITATION.cff").read_text()
    assert f"## {orderparam.__version__}" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize(
    ("module", "door"),
    [("torch", "network/"), ("spglib", "spacegroup.py"), ("plotly", "report/"),
     ("pymatgen", "crystals/"), ("ase", "crystals/")],
)  # fmt: skip
def test_every_large_dependency_has_its_door(module: str, door: str) -> None:
    files = {path.relative_to(ROOT).as_posix(): imports_of(path) for path in ROOT.glob("orderparam/**/*.py")}
    files |= {path.relative_to(ROOT).as_posix(): imports_of(path) for path in ROOT.glob("cli/**/*.py")}
    users = {name for name, imported in files.items() if module in imported}
    assert all(name.startswith(f"orderparam/{door}") for name in users), users
    assert users or module == "plotly"
