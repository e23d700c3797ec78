"""The sections of a page, each from a public record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from orderparam.report import figures

from .document import Document
from .markup import Html, facts, table, tag, together

Record = Mapping[str, Any]


def group_text(group: Record) -> str:
    """Return a space group as symbol and number."""
    return f"{group['symbol']} ({group['number']})"


def warnings(record: Record) -> Html | None:
    """Return what the user should know."""
    found = record.get("warnings") or []
    return together(tag("p", w, class_="warning", role="note") for w in found) if found else None


def fraction(value: float) -> str:
    """Return a number as a short fraction where it is one."""
    found = Fraction(float(value)).limit_denominator(48)
    return str(found) if abs(float(found) - value) < 1e-6 else f"{value:.4f}"


# --- the exact half ---------------------------------------------------------------------------------------------------


def order_parameters(page: Document, modes: Record) -> None:
    """Add the order parameters of displacements and strain."""
    rows = [
        (
            "primary" if i["primary"] else "",
            i["label"],
            ", ".join(map(fraction, i["k"])),
            i["direction"] or "-",
            _with_error(i["amplitude_supercell"], i.get("amplitude_error")),
            f"{i['amplitude_parent']:.4f}",
            group_text(i["isotropy_subgroup"]),
        )
        for i in modes["irreps"]
    ]
    columns = ("", "irrep", "k", "direction", "As (Å)", "Ap (Å)", "isotropy subgroup")
    strain = [
        ("primary" if i["primary"] else "", i["label"], i["direction"] or "-", f"{100 * i['amplitude']:.3f}",
         group_text(i["isotropy_subgroup"]))
        for i in modes["strain"]["irreps"]
    ]  # fmt: skip
    told = "Amplitude As of every order parameter of the displacements, dark where primary: " + ", ".join(
        f"{i['label']} {i['amplitude_supercell']:.3f} Å" for i in modes["irreps"] if i["amplitude_supercell"] > 1e-5
    )
    strained = "Amplitude of every order parameter of the strain: " + ", ".join(
        f"{i['label']} {100 * i['amplitude']:.2f} %" for i in modes["strain"]["irreps"] if i["amplitude"] > 1e-7
    )
    charts = tag(
        "div",
        page.figure(figures.amplitudes(modes), told, caption="Displacements."),
        page.figure(figures.strains(modes), strained, caption="Strain."),
        class_="pair",
    )
    names = [
        tag("p", f"With {o['atom']} at the origin: " + ", ".join(f"{a} = {b}" for a, b in o["labels"].items()))
        for o in modes["other_origins"]
        if o["labels"]
    ]
    page.add(
        "order-parameters",
        "Order parameters",
        charts,
        table(columns, rows, caption="Displacements; As: child's cell, Ap: parent's", numbers=(4, 5)),
        table(("", "irrep", "direction", "strain (%)", "isotropy subgroup"), strain, caption="Strain", numbers=(3,)),
        *names,
        _primary_sets(modes),
        _noise(modes),
    )


def _with_error(value: float, error: float | None) -> str:
    return f"{value:.4f}" + (f" ± {error:.4f}" if error else "")


def _primary_sets(modes: Record) -> Html | None:
    rows = [
        (
            "chosen" if n == 0 else "tied" if s["tied"] else "",
            " + ".join(s["labels"]),
            f"{100 * s['share']:.1f} %",
            "-" if s["mean_degree"] is None else f"{s['mean_degree']:.1f}",
        )
        for n, s in enumerate(modes["primary_sets"][:12])
    ]
    if not rows:
        return None
    columns = ("", "irreps", "share of |u|²", "order at which the rest follows")
    told = f"Sets that leave exactly {group_text(modes['isotropy_subgroup'])}"
    return table(columns, rows, caption=told, numbers=(2, 3))


def _noise(modes: Record) -> Html | None:
    noise = modes.get("noise")
    if not noise:
        return None
    if not noise.get("determined", True):
        rows = [("noise", f"the data cannot tell: {noise['undetermined']}"), ("taken instead", noise["taken"])]
        return together([tag("h3", "Noise"), facts(rows)])
    left = f"{noise['expected_error']:.4f} Å to expect, in {noise['parameters']} of {noise['coordinates']} coordinates"
    rows = [
        ("noise", f"{noise['sigma']:.4f} Å per coordinate ({'estimated' if noise['estimated'] else 'given'})"),
        ("supported", group_text(noise["space_group"])),
        ("error left", left),
        ("detection limit", f"As = {noise['detection_limit']:.3f} Å"),
    ]
    return together([tag("h3", "Noise"), facts(rows)])


def correspondence(page: Document, modes: Record) -> None:
    """Add both space groups as spglib finds them, and how the child sits in the parent."""
    found = modes["correspondence"]
    parent, child = modes["parent"], modes["child"]
    rows = [
        ("cell", f"{found['transformation']} (the child's file in the parent's conventional cell; origin)"),
        ("primitive cells", found["cell_multiplication"]),
        ("index", f"{modes['domains']} (number of domains)"),
        ("origin on", parent["origin_atom"] or "no atom"),
        ("displacements", f"rms {found['mapping_rms']:.4f} Å, largest {modes['max_displacement']:.4f} Å"),
        ("symmetrising moved", f"parent {parent['moved_by_symmetrisation']['max']:.1e} Å, "
                               f"child {child['removed_by_symmetrisation']['max']:.1e} Å at most"),
        ("mirrored", "yes" if found["mirrored"] else "no"),
    ]  # fmt: skip
    split = [
        (r["parent_site"], f"{r['parent_wyckoff']} {r['parent_site_symmetry']}", r["child_site"],
         f"{r['child_wyckoff']} {r['child_site_symmetry']}", r["atoms"])
        for r in modes["wyckoff_splitting"]
    ]  # fmt: skip
    columns = ("parent", "Wyckoff", "child", "Wyckoff", "atoms")
    page.add(
        "correspondence",
        "How the child sits in the parent",
        facts(rows),
        table(columns, split, caption="Splitting of the orbits, per primitive cell of the child", numbers=(4,)),
    )


def space_groups(page: Document, modes: Record, predicted: Record | None = None, graph: Record | None = None) -> None:
    """Add every space group of the page and where it comes from."""
    rows: list[tuple[object, ...]] = [
        ("parent", modes["parent"]["formula"], group_text(modes["parent"]["space_group"]), modes["parent"]["file"]),
        ("child", modes["child"]["formula"], group_text(modes["child"]["space_group"]), modes["child"]["file"]),
    ]
    if predicted:
        rows.append(("prediction", modes["child"]["formula"], group_text(predicted["space_group"]),
                     f"symprec {predicted['symprec']:g} Å"))  # fmt: skip
    realised = [n for n in (graph["nodes"] if graph else ()) if n["realised"] or n["realised_with_strain"]]
    rows += [
        (
            "in between",
            f"index {n['index']}",
            group_text(n["space_group"]),
            f"{n['distance']:.3f} Å away from the child",
        )
        for n in realised
    ]
    page.add(
        "space-groups",
        "Space groups",
        tag("p", "Parent, child and prediction as spglib finds them; those in between by their operations.",
            class_="note"),
        table(("", "", "space group", ""), rows),
    )  # fmt: skip


def wave_vectors(page: Document, drawing: Record) -> None:
    """Add the Brillouin zone."""
    active = [w for w in drawing["wave_vectors"] if w["active"]]
    if not active:
        return
    told = "The first Brillouin zone of the parent with the active wave vectors: " + "; ".join(
        f"{w['label']} at {w['k_label']} "
        + " ".join("(" + ",".join(map(fraction, k)) + ")" for k in w["active_conventional"])
        for w in active
    )
    page.add("brillouin-zone", "Wave vectors", page.figure(figures.brillouin_zone(drawing), told))


def geometry(page: Document, modes: Record) -> None:
    """Add octahedra, tilts and bonds."""
    found = modes.get("geometry")
    if not found:
        return
    glazer = found["glazer"]
    rows = [("tilt system", glazer["symbol"] if glazer else f"no symbol: {found['glazer_reason']}")]
    if glazer and glazer.get("standard"):
        rows.append(("standard", glazer["standard"]))
    first = {o["orbit"]: o for o in reversed(found["octahedra"])}
    shapes = [
        (o["centre"], f"{o['angle']:.2f}", f"{min(o['bond_lengths']):.4f} to {max(o['bond_lengths']):.4f}",
         f"{o['volume']:.3f}", f"{o['angle_variance']:.2f}", f"{o['quadratic_elongation']:.4f}")
        for o in first.values()
    ]  # fmt: skip
    tilts = [
        (t["axis"], *(_degrees(t[key]) for key in ("in_phase", "anti_phase", "mean", "largest")))
        for t in found["tilts"]
    ]
    bridges = [
        ("-".join((b["centres"][0], b["ligand"], b["centres"][1])), f"{b['angle']:.2f}", f"{b['angle_parent']:.2f}")
        for b in found["bridges"]
    ]
    page.add(
        "geometry",
        "Geometry",
        facts(rows),
        some_table(("about", "in phase", "out of phase", "mean", "largest"), tilts, "Tilts (degrees)", range(1, 5)),
        some_table(("centre", "rotation (°)", "bonds (Å)", "volume (Å³)", "angle variance (°²)",
                    "quadratic elongation"), shapes, "Octahedra of the child", range(1, 6)),
        some_table(("bridge", "angle (°)", "in the parent (°)"), bridges, "Angles between octahedra", (1, 2)),
    )  # fmt: skip


def _degrees(value: float | None) -> str:
    return "-" if value is None else f"{value + 0.0:.2f}"


def some_table(
    columns: Sequence[str], rows: Sequence[Sequence[object]], caption: str, numbers: Sequence[int]
) -> Html | None:
    """Return a table, nothing where there are no rows."""
    return table(columns, rows, caption=caption, numbers=numbers) if rows else None


def powder(page: Document, rows: Sequence[Record]) -> None:
    """Add the powder lines."""
    if not rows:
        return
    extra = sum(bool(r["superlattice"]) for r in rows)
    told = f"Powder lines of the child up to 90 degrees: {len(rows)}, of which {extra} are superlattice lines."
    best = sorted((r for r in rows if r["superlattice"]), key=lambda r: -r["intensity"])[:20]
    listed = [
        (f"{r['two_theta']:.2f}", f"{r['d']:.4f}", f"{r['intensity']:.2f}", r["parent_hkl"], r["k_of"]) for r in best
    ]
    columns = ("2θ", "d (Å)", "intensity", "hkl of the parent", "possible with")
    page.add(
        "reflections",
        "Superlattice reflections",
        page.figure(figures.reflections(rows), told),
        some_table(
            columns, listed, "The strongest superlattice lines (Cu Kα; strongest line of the child: 100)", (0, 1, 2)
        ),
    )


# --- the learned half -------------------------------------------------------------------------------------------------
