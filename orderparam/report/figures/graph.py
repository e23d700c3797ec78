"""The groups between parent and child as a graph, highest symmetry on top (a Baernighausen tree)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .style import BLACK, GREY, plain, styled

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from orderparam.discovery.analyse import Analysis
    from orderparam.subgroups import SubgroupGraph

MANY_NODES = 60
"""Beyond so many nodes only those that are realised carry their symbols."""


def subgroup_tree(source: Mapping[str, Any] | tuple[Analysis, SubgroupGraph]) -> go.Figure:
    """Draw a subgroup graph.

    Parameters
    ----------
    source : dict or (Analysis, SubgroupGraph)
        The record of a subgroup graph (schema ``orderparam/subgroups``), or what it is made of.

    Notes
    -----
    Height is the logarithm of the index, colour the distance from the child; the points carry the numbers of their
    nodes as custom data, which the page listens to.
    """
    import plotly.graph_objects as go

    if not isinstance(source, Mapping):
        from orderparam.records import subgroups_record

        source = subgroups_record(*source)
    nodes, edges = source["nodes"], source["edges"]
    places = node_places(nodes, edges)
    figure = styled(go.Figure(), showlegend=True)
    for kind, name, dash in (("t", "translationengleich", "solid"), ("k", "klassengleich", "dash"),
                             ("mixed", "several steps", "dot")):  # fmt: skip
        mine = [e for e in edges if e["type"] == kind]
        if mine:
            figure.add_traces(_edge_traces(mine, places, name, dash))
    figure.add_trace(_node_trace(nodes, places))
    figure.update_xaxes(visible=False)
    levels = sorted({n["index"] for n in nodes})
    figure.update_yaxes(title="index in the parent's group", tickvals=[-np.log2(i) for i in levels],
                        ticktext=[str(i) for i in levels], showgrid=False, mirror=False)  # fmt: skip
    widest = max(sum(n["index"] == i for n in nodes) for i in levels)
    return figure.update_layout(
        height=max(420, min(900, 110 * len(levels))),
        width=None if widest <= 12 else 90 * widest,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        hovermode="closest",
    )


def node_places(nodes: list[Mapping[str, Any]], edges: list[Mapping[str, Any]]) -> dict[int, tuple[float, float]]:
    """Return where the nodes stand: rows by index; within a row near to what they are joined with."""
    rows: dict[int, list[int]] = {}
    for node in nodes:
        rows.setdefault(node["index"], []).append(node["id"])
    joined: dict[int, list[int]] = {node["id"]: [] for node in nodes}
    for e in edges:
        joined[e["child"]].append(e["parent"])
        joined[e["parent"]].append(e["child"])
    x = {i: _spread(len(row), n) for row in rows.values() for n, i in enumerate(row)}
    order = sorted(rows)
    for sweep in range(8):
        for index in order if sweep % 2 == 0 else reversed(order):
            row = rows[index]
            row.sort(key=lambda i: float(np.mean([x[j] for j in joined[i]] or [x[i]])))
            x |= {i: _spread(len(row), n) for n, i in enumerate(row)}
    return {node["id"]: (x[node["id"]], -float(np.log2(node["index"]))) for node in nodes}


def _spread(count: int, number: int) -> float:
    return number - (count - 1) / 2


def _edge_traces(edges: list[Mapping[str, Any]], places: dict[int, tuple[float, float]], name: str, dash: str) -> list:
    import plotly.graph_objects as go

    x, y, middles, texts = [], [], [], []
    for e in edges:
        (x0, y0), (x1, y1) = places[e["parent"]], places[e["child"]]
        x += [x0, x1, None]
        y += [y0, y1, None]
        middles.append(((x0 + x1) / 2, (y0 + y1) / 2))
        texts.append(f"{e['type']}{e['index']}")
    line = go.Scatter(x=x, y=y, mode="lines", name=name, line={"color": GREY, "width": 1.6, "dash": dash},
                      hoverinfo="skip")  # fmt: skip
    mx, my = zip(*middles, strict=True)
    mode = "text" if len(edges) <= MANY_NODES else "none"
    label = go.Scatter(x=mx, y=my, mode=mode, text=texts, textfont={"size": 10, "color": "#555"}, hoverinfo="skip",
                       showlegend=False)  # fmt: skip
    return [line, label]


def _node_trace(nodes: list[Mapping[str, Any]], places: dict[int, tuple[float, float]]) -> Any:
    import plotly.graph_objects as go

    realised = [n["realised"] or n["realised_with_strain"] for n in nodes]
    shown = [r or len(nodes) <= MANY_NODES for r in realised]
    return go.Scatter(
        x=[places[n["id"]][0] for n in nodes],
        y=[places[n["id"]][1] for n in nodes],
        mode="markers+text",
        text=[f"{plain(n['space_group']['symbol'])}" if s else "" for n, s in zip(nodes, shown, strict=True)],
        textposition="middle right",
        customdata=[[n["id"], _hover(n)] for n in nodes],
        hovertemplate="%{customdata[1]}<extra></extra>",
        name="group (filled: realised)",
        marker={
            "opacity": 1.0,
            "size": [17 if r else 11 for r in realised],
            "symbol": ["circle" if r else "circle-open" for r in realised],
            "color": [n["distance"] for n in nodes],
            "colorscale": "Cividis",
            "line": {"color": BLACK, "width": 1},
            "colorbar": {"title": {"text": "away from<br>the child (Å)"}, "thickness": 14},
        },
    )


def _hover(node: Mapping[str, Any]) -> str:
    group = node["space_group"]
    left = "<br>".join(
        f"{plain(i['label'])} {plain(i['direction'])} {i['amplitude_supercell']:.3f} Å" for i in node["irreps"]
    )
    head = f"{node['id']}: {plain(group['symbol'])} ({group['number']}), index {node['index']}"
    return f"{head}<br>{node['distance']:.3f} Å away from the child<br>{left or 'no displacements left'}"
