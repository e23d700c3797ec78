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
        _some(("about", "in phase", "out of phase", "mean", "largest"), tilts, "Tilts (degrees)", range(1, 5)),
        _some(("centre", "rotation (°)", "bonds (Å)", "volume (Å³)", "angle variance (°²)", "quadratic elongation"),
              shapes, "Octahedra of the child", range(1, 6)),
        _some(("bridge", "angle (°)", "in the parent (°)"), bridges, "Angles between octahedra", (1, 2)),
    )  # fmt: skip


def _degrees(value: float | None) -> str:
    return "-" if value is None else f"{value + 0.0:.2f}"


def _some(
    columns: Sequence[str], rows: Sequence[Sequence[object]], caption: str, numbers: Sequence[int]
) -> Html | None:
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
        _some(columns, listed, "The strongest superlattice lines (Cu Kα; strongest line of the child: 100)", (0, 1, 2)),
    )


# --- the learned half -------------------------------------------------------------------------------------------------


def learned(page: Document, record: Record, shown: Html | None) -> None:
    """Add what the network learned; `shown` is the picture of it."""
    rows = [
        (o["input"], o["label"], o["direction"], group_text(o["isotropy_subgroup"]),
         f"{100 * o['share_of_input']:.1f} %", f"{o['normalised_to']:.4f}")
        for o in record["learned_order_parameter"]
    ]  # fmt: skip
    columns = ("input", "irrep", "direction", "isotropy subgroup", "share of the field", "scaled to Ap (Å)")
    held = ", ".join(f"{i['site']}:{i['irrep']}" + (" (helper)" if i["helper"] else "") for i in record["inputs"])
    told = (
        f"The network was given {held}, free within what the primary order parameters allow. Irreps, directions and "
        "isotropy subgroups of the learned field are results; its overall scale and sign are not."
    )
    page.add("learned", "The learned order parameter", tag("p", told), shown, _some(columns, rows, "", (4, 5)))


def network(page: Document, record: Record) -> None:
    """Add gradient, convergence, necessity and carriers."""
    residual, architecture = record["residual"], record["architecture"]
    pulling = [g for g in record["gradient"] if g["norm"] > 0]
    told = (
        f"Gradient of the loss at zero input: {len(pulling)} of {len(record['gradient'])} blocks pull, the others are "
        "exactly zero, by Curie's principle. Grey: exactly zero; white: the site cannot hold the irrep."
    )
    page.add(
        "gradient", "What the gradients ask for", page.figure(figures.gradient(record), told), _gradient_table(pulling)
    )
    size = f"lmax {architecture['lmax']}, {architecture['layers']} layers, cutoff {architecture['cutoff']:.2f} Å"
    steps = f"{'yes' if record['converged'] else 'NO'}, {record['iterations']} steps, {record['restarts']} restarts"
    strain = record["strain_residual"]
    rows = [
        ("network", size),
        ("converged", steps),
        ("residual", f"largest {residual['max']:.1e} Å, rms {residual['rms']:.1e} Å, strain {strain:.1e}"),
        ("prediction", group_text(record["predicted"]["space_group"])),
        ("out of reach", ", ".join(architecture["unreachable"]) or "nothing"),
        ("helpers", ", ".join(architecture["helpers"]) or "none"),
        *_bounds(record),
    ]  # fmt: skip
    norms = f"Norm of the residuals after each of the {len(record.get('history', []))} steps."
    page.add("fit", "Fit", facts(rows), page.figure(figures.convergence(record), norms))
    _necessity(page, record)
    carriers(page, record["carriers"])


def _bounds(record: Record) -> list[tuple[str, str]]:
    """Return the symmetry floor, and what a constraint gives up."""
    found = []
    if noise := record.get("noise"):
        told = f"off the noisy child by {noise['off_noisy_child']:.4f} Å (rms per coordinate); off the noise-free one "
        told += f"by {noise['expected_error']:.4f} Å to expect, where the noisy child is off by {noise['sigma']:.4f} Å"
        found.append(("noise", told))
    if floor := record.get("floor"):
        told = f"without an order parameter an atom is missed by {floor['max']:.4f} Å, rms {floor['rms']:.4f} Å"
        found.append(("symmetry floor", told))
    if constraint := record.get("constraint"):
        left = ", ".join(f"{label} {size:.4f} Å" for label, size in constraint["given_up"].items()) or "nothing"
        found.append(("constraint", f"{constraint['spec']}; it gives up {left}"))
    return found


def _gradient_table(pulling: Sequence[Record]) -> Html | None:
    if not pulling:
        return None
    rows = [(g["site"], g["irrep"], g["space_group_irrep"], f"{g['norm']:.2e}") for g in pulling]
    listed = table(("site", "irrep of O(3)", "irrep of the space group", "norm"), rows, numbers=(3,))
    return tag("details", tag("summary", f"Table of the {len(rows)} blocks that pull"), listed)


def _necessity(page: Document, record: Record) -> None:
    if not record["necessity"]:
        return
    rows = [
        (n["without"], f"{n['residual_max']:.4f}", f"{n['exact_floor_max']:.4f}", f"{n['strain_residual']:.5f}",
         f"{n['strain_floor']:.5f}")
        for n in record["necessity"]
    ]  # fmt: skip
    columns = ("without", "network misses (Å)", "exact floor (Å)", "strain missed", "its floor")
    told = "Largest error of a network that is not given one of the primary order parameters, beside the exact floor."
    chart = page.figure(figures.necessity(record), told)
    page.add("necessity", "Is each one necessary?", chart, table(columns, rows, numbers=range(1, 5)))


def carriers(page: Document, rows: Sequence[Record], *, shown: int = 40) -> None:
    """Add the carriers: rows as in the block ``"carriers"`` of a record."""
    if not rows:
        return
    listed = [
        (
            "chosen" if r["chosen"] else "tied" if r["tied"] else "",
            f"{r['site']}:{r['irrep']}",
            ", ".join(map(str, r["with"])),
            r["components_per_formula_unit"],
            f"{100 * r['share_held']:.1f} %",
        )
        for r in rows[:shown]
    ]
    columns = ("", "carrier", "together with", "numbers per formula unit", "holds of |u|²")
    chosen = ", ".join(f"{r['site']}:{r['irrep']}" for r in rows if r["chosen"]) or "none"
    told = f"What the possible carriers cost; chosen: {chosen}."
    rest = len(rows) - shown
    more = tag("p", f"{rest} more: --json FILE has all", class_="note") if rest > 0 else None
    page.add(
        "carriers", "Carriers", page.figure(figures.carriers(rows), told), table(columns, listed, numbers=(3, 4)), more
    )


def compared_carriers(page: Document, record: Record) -> None:
    """Add all site irreps compared as carriers of the primary order parameters, and what a network makes of each."""
    found = record["carriers"]
    able = [r for r in found if r["holds_primaries"]]
    rows = [
        (
            "chosen" if r["chosen"] else "tied" if r["tied"] else "",
            f"{r['site']}:{r['irrep']}",
            "yes" if r["holds_primaries"] else "no",
            ", ".join(r["holds"]) or "-",
            r["components_per_formula_unit"],
            f"{100 * r['share_held']:.1f}",
            group_text(r["isotropy_subgroup"]),
            f"{r['floor']['max']:.4f}",
            _trials(r["trials"]),
        )
        for r in found
    ]
    columns = (
        "", "carrier", "all primaries", "holds", "numbers per formula unit", "holds of |u|² (%)", "leaves",
        "floor (Å)", "trials",
    )  # fmt: skip
    wanted = ", ".join(record["primaries"]) or "nothing"
    told = f"{len(able)} of {len(found)} site irreps can hold {wanted}; what they cost:"
    names = ", ".join(f"{r['site']}:{r['irrep']}" for r in able[:14])
    note = "leaves: the group that what it holds leaves; floor: the largest error that symmetry then forces"
    page.add(
        "carriers",
        "Carriers compared",
        page.figure(figures.carriers(able), f"{told} {names}."),
        table(columns, rows, caption=note, numbers=(4, 5, 7)),
    )


def _trials(trials: Record | None) -> str:
    return "-" if trials is None else ", ".join(f"{name} {_short(value)}" for name, value in trials.items())


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
