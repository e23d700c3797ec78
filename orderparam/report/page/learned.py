"""Sections of a page on what was learned: the network, its inputs, their carriers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orderparam.report import figures
from orderparam.wording import counted

from .document import Document
from .markup import Html, facts, table, tag
from .sections import group_text, some_table

Record = Mapping[str, Any]


def order_parameter(page: Document, record: Record, shown: Html | None) -> None:
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
    page.add("learned", "The learned order parameter", tag("p", told), shown, some_table(columns, rows, "", (4, 5)))


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
        told = f"off the noisy child by {noise['off_noisy_child']:.4f} Å (rms per coordinate); "
        if noise.get("determined", True):
            told += f"off the noise-free one by {noise['expected_error']:.4f} Å to expect, where the noisy child is "
            told += f"off by {noise['sigma']:.4f} Å"
        else:
            told += "the data cannot tell how noisy it is"
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
    return tag("details", tag("summary", f"Table of the {counted(len(rows), 'block')} that pull"), listed)


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
