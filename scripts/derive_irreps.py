"""Derive orderparam/data/irreps.zip from the ISO-IR tables.

Usage: ``python scripts/derive_irreps.py [CIR_data.txt.gz irreps.zip]``. Without arguments the table that CrystOD
bundles is read and the package's data file is written; the same input gives the same bytes.

Input: the complex irreducible representations of the 230 space groups by H. T. Stokes and B. J. Campbell (2011
version, 2022 revision, CC BY 4.0, https://iso.byu.edu), described in H. T. Stokes, B. J. Campbell and R. Cordes, Acta
Cryst. A69, 388-395 (2013). Every irrep stands there with its matrices for all coset representatives, printed to five
decimals. Changes made here: entries are snapped to their exact values, and only the matrices of a small generating set
are kept, after a check that products of these give back all others.

Output: a zip archive of ``values.json`` (the exact matrix entries, one character each) and one JSON document per space
group, which orderparam/symmetry/irreptable.py reads.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from itertools import groupby
from math import cos, pi, sin, sqrt
from pathlib import Path

import numpy as np

TRANSLATION_DENOMINATOR = 24
ARM_DENOMINATOR = 12
ALPHABET = ".ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-"
TABLE_TOLERANCE = 1.2e-5
HEADER = re.compile(r'^ *\d+ +(\d+) "([^"]*)" "([^"]*)" +(\d+) +(\d+) +(\d+) +\d+ +(\d+) *$', re.MULTILINE)

# Positive real numbers that occur as a part of a matrix entry; no two lie closer than 2e-3.
EXACT_PARTS = np.array(
    sorted(
        [0.0, 1.0, 0.5, 0.25, 0.75, 1 / 3, 2 / 3]
        + [sqrt(x) for x in (1 / 2, 1 / 3, 2 / 3, 3 / 4, 3 / 16, 1 / 8, 3 / 8, 1 / 6)]
        + [f(x) for f in (cos, sin) for x in (pi / 8, pi / 12)]
        + [(2 + sqrt(3)) / 4, (2 - sqrt(3)) / 4, (sqrt(3) + 1) / 4, (sqrt(3) - 1) / 4]
    )
)


@dataclass(frozen=True)
class TableIrrep:
    """One irrep as the table prints it.

    Attributes
    ----------
    arms : (n_arms, 4, 3) int, over ARM_DENOMINATOR
        Constant part and coefficients of the parameters, conventional reciprocal basis.
    rotations, translations : (n_ops, 3, 3) int and (n_ops, 3) int over TRANSLATION_DENOMINATOR
        Coset representatives.
    shifts : (n_ops, 3) int over TRANSLATION_DENOMINATOR, or None at special points
        IR-translations v: arm i carries the factor exp(2 pi i k_i.v).
    matrices : (n_ops, d, d) complex
        Matrices of the coset representatives without that factor.
    """

    number: int
    symbol: str
    label: str
    kind: int
    arms: np.ndarray
    rotations: np.ndarray
    translations: np.ndarray
    shifts: np.ndarray | None
    matrices: np.ndarray


def snap(values: np.ndarray) -> np.ndarray:
    """Replace printed complex numbers by exact ones; ValueError if one is farther off than the printing explains."""

    def snap_parts(parts: np.ndarray) -> np.ndarray:
        nearest = EXACT_PARTS[np.argmin(np.abs(np.abs(parts)[:, None] - EXACT_PARTS), axis=1)]
        wrong = np.abs(np.abs(parts) - nearest) > TABLE_TOLERANCE
        if wrong.any():
            raise ValueError(f"entries that are not in the list of exact values: {sorted(set(parts[wrong]))}")
        return np.copysign(nearest, parts)

    distinct, inverse = np.unique(values, return_inverse=True)
    return ((snap_parts(distinct.real) + 0.0) + 1j * (snap_parts(distinct.imag) + 0.0))[inverse].reshape(values.shape)


def over(numerators: np.ndarray, denominators: np.ndarray, common: int) -> np.ndarray:
    """Write fractions over a common denominator, as integers; ValueError if it does not divide."""
    if (numerators[np.broadcast_to(denominators == 0, numerators.shape)] != 0).any():
        raise ValueError("a denominator is zero")
    denominators = np.where(denominators == 0, 1, denominators)  # the table also writes zero as 0/0
    scaled = numerators * common
    if (scaled % denominators).any():
        raise ValueError(f"a denominator of {sorted(set(denominators.ravel()))} does not divide {common}")
    return scaled // denominators


def read_table(path: Path) -> Iterator[TableIrrep]:
    """Parse the text of the ISO-IR table, irrep by irrep."""
    text = gzip.decompress(path.read_bytes()).decode()
    headers = list(HEADER.finditer(text))
    ends = [header.start() for header in headers[1:]] + [len(text)]
    for header, end in zip(headers, ends, strict=True):
        number, symbol, label, d, kind, n_arms, n_ops = header.groups()
        tokens = text[header.end() : end].split()
        name = (int(number), symbol.strip(), label.strip(), int(kind))
        yield parse_irrep(name, int(d), int(n_arms), int(n_ops), tokens)


def parse_irrep(name: tuple[int, str, str, int], d: int, n_arms: int, n_ops: int, tokens: list[str]) -> TableIrrep:
    """Read the tokens after one header: arms, then per operation {W|w}, the IR-translation and the matrix."""
    arms = np.array(tokens[: 16 * n_arms], dtype=int).reshape(n_arms, 4, 4)
    special = not arms[:, 1:, :3].any()
    rows = np.array(tokens[16 * n_arms :], dtype=object).reshape(n_ops, 16 + (0 if special else 4) + d * d)
    seitz = rows[:, :16].astype(int).reshape(n_ops, 4, 4)
    if (seitz[:, :3, :3] % seitz[:, 3:, 3:]).any():
        raise ValueError(f"{name}: a rotation is not integral")
    shifts = None if special else rows[:, 16:20].astype(int)
    pairs = [entry[1:-1].split(",") for entry in rows[:, -d * d :].ravel()]
    entries = np.array(pairs, dtype=float)
    return TableIrrep(
        *name,
        arms=over(arms[:, :, :3], arms[:, :, 3:], ARM_DENOMINATOR),
        rotations=seitz[:, :3, :3] // seitz[:, 3:, 3:],
        translations=over(seitz[:, :3, 3], seitz[:, 3:, 3], TRANSLATION_DENOMINATOR),
        shifts=None if shifts is None else over(shifts[:, :3], shifts[:, 3:], TRANSLATION_DENOMINATOR),
        matrices=snap(entries[:, 0] + 1j * entries[:, 1]).reshape(n_ops, d, d),
    )


def choose_generators(rotations: np.ndarray) -> list[int]:
    """Return a small generating set of the point group, as indices: greedily the element that adds most."""
    index = {tuple(W.ravel()): i for i, W in enumerate(rotations)}
    table = np.array([[index[tuple((W @ V).ravel())] for V in rotations] for W in rotations])

    def closure(generators: list[int]) -> set[int]:
        found, new = {0}, {0}
        while new:
            new = {int(table[i, g]) for i in new for g in generators} - found
            found |= new
        return found

    generators: list[int] = []
    while len(closure(generators)) < len(rotations):
        candidates = [i for i in range(len(rotations)) if i not in closure(generators)]
        generators.append(max(candidates, key=lambda i: (len(closure([*generators, i])), -i)))
    return generators


def evaluate(irrep: TableIrrep, parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the arms (n_arms, 3) and the matrices (n_ops, d, d) of an irrep at given parameters."""
    arms = (irrep.arms[:, 0] + np.einsum("p,apx->ax", parameters, irrep.arms[:, 1:])) / ARM_DENOMINATOR
    if irrep.shifts is None:
        return arms, irrep.matrices
    d = irrep.matrices.shape[1]
    phases = np.exp(2j * pi * irrep.shifts @ arms.T / TRANSLATION_DENOMINATOR)
    return arms, np.repeat(phases, d // len(arms), axis=1)[:, :, None] * irrep.matrices


def check(irrep: TableIrrep, generators: list[int], rng: np.random.Generator) -> None:
    """Check that D is unitary and D(c) D(g) = D(c g) for all representatives c, generators g; at random parameters."""
    arms, D = evaluate(irrep, rng.uniform(0.1, 0.4, 3))
    d = D.shape[1]
    index = {tuple(W.ravel()): i for i, W in enumerate(irrep.rotations)}
    if not np.allclose(D @ D.conj().transpose(0, 2, 1), np.eye(d), atol=1e-12):
        raise ValueError(f"{irrep.number} {irrep.label}: not unitary")
    for g in generators:
        W, w = irrep.rotations, irrep.translations
        target = [index[tuple(product.ravel())] for product in W @ W[g]]
        lattice = (W @ w[g] + w - w[target]) / TRANSLATION_DENOMINATOR
        phases = np.repeat(np.exp(2j * pi * lattice @ arms.T), d // len(arms), axis=1)
        if not np.allclose(D @ D[g], phases[:, :, None] * D[target], atol=1e-12):
            raise ValueError(f"{irrep.number} {irrep.label}: not a homomorphism")


def derive_group(irreps: list[TableIrrep], code: dict[complex, str], rng: np.random.Generator) -> dict:
    """Return the JSON document of one space group; checks everything that is left out."""
    first = irreps[0]
    generators = choose_generators(first.rotations)
    points = []
    for k_label, members in groupby(irreps, key=lambda irrep: re.match("[A-Z]+", irrep.label).group()):
        group = list(members)
        point = {"k": k_label, "arms": group[0].arms.reshape(-1, 12).tolist()}
        if group[0].shifts is not None:
            point["shifts"] = group[0].shifts[generators].tolist()
        point["irreps"] = []
        for irrep in group:
            for name in ("rotations", "translations"):
                if not np.array_equal(getattr(irrep, name), getattr(first, name)):
                    raise ValueError(f"{irrep.number} {irrep.label}: other {name} than {first.label}")
            if not np.array_equal(irrep.arms, group[0].arms):
                raise ValueError(f"{irrep.number} {irrep.label}: other arms than {group[0].label}")
            check(irrep, generators, rng)
            entries = "".join(code[entry] for entry in irrep.matrices[generators].ravel().tolist())
            entry = {
                "label": irrep.label,
                "kind": irrep.kind,
                "dimension": irrep.matrices.shape[1],
                "matrices": entries,
            }
            if irrep.shifts is not None and irrep.shifts[generators].tolist() != point["shifts"]:
                entry["shifts"] = irrep.shifts[generators].tolist()
            point["irreps"].append(entry)
        points.append(point)
    if len({point["k"] for point in points}) != len(points):
        raise ValueError(f"{first.number}: the irreps of one k are not together")
    return {
        "number": first.number,
        "centring": first.symbol[0],
        "rotations": first.rotations.reshape(-1, 9).tolist(),
        "translations": first.translations.tolist(),
        "generators": generators,
        "points": points,
    }


def write_archive(path: Path, documents: dict[str, object]) -> None:
    """Write JSON documents into a zip archive that depends on nothing but their content."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, document in documents.items():
            member = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, json.dumps(document, separators=(",", ":")))


def main() -> None:
    """Read the table, check it, write the data file."""
    default = Path(str(files("crystod") / "CIR_data.txt.gz")), Path(__file__).parents[1] / "orderparam/data/irreps.zip"
    source, target = (Path(path) for path in sys.argv[1:3]) if len(sys.argv) > 2 else default
    irreps = list(read_table(source))
    values = {entry for irrep in irreps for entry in np.unique(irrep.matrices).tolist()}
    ordered = sorted(values, key=lambda z: (abs(z) != 0, z.real, z.imag))
    code = dict(zip(ordered, ALPHABET, strict=True))
    documents: dict[str, object] = {"values.json": {code[z]: [z.real, z.imag] for z in ordered}}
    rng = np.random.default_rng(230)
    for number, members in groupby(irreps, key=lambda irrep: irrep.number):
        documents[f"{number:03d}.json"] = derive_group(list(members), code, rng)
    if len(documents) != 231:
        raise ValueError(f"expected 230 space groups, found {len(documents) - 1}")
    write_archive(target, documents)
    print(f"{target}: {len(irreps)} irreps, {len(values)} distinct entries, {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
