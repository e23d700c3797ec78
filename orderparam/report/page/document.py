"""One self-contained page: style, plotly and data inside, no network, and only the scripts of this package may run."""

from __future__ import annotations

import base64
import hashlib
import json
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from orderparam import __version__

from .markup import Html, data_block, tag, text, together

if TYPE_CHECKING:
    import plotly.graph_objects as go


SCRIPTS = ("renderer.js", "viewer.js", "page.js")


@dataclass
class Document:
    """A page while it is written: its sections, and the data that they draw.

    Attributes
    ----------
    title : str
    sections : list of (str, str, Html)
        Anchor, heading and content.
    blocks : list of Html
    """

    title: str
    sections: list[tuple[str, str, Html]] = field(default_factory=list)
    blocks: list[Html] = field(default_factory=list)

    def add(self, anchor: str, heading: str, *content: object) -> None:
        """Append a section; one without content is left out."""
        kept = [part for part in content if part is not None]
        if kept:
            self.sections.append((anchor, heading, together(kept)))

    def data(self, value: Any) -> str:
        """Store JSON in the page and return the name it is found by."""
        name = f"data-{len(self.blocks)}"
        self.blocks.append(data_block(name, value))
        return name

    def figure(self, figure: go.Figure, told: str, *, caption: str = "", graph: bool = False) -> Html:
        """Return a figure with what it shows in words, for those who cannot see it."""
        name = self.data(figure.to_json())
        height = figure.layout.height
        box = tag(
            "div",
            class_="plot",
            data_figure=name,
            data_graph="" if graph else None,
            role="img",
            aria_label=told,
            style=f"height:{height}px" if height else None,
        )
        return tag("figure", box, tag("figcaption", caption or told))

    def html(self, lead: Html, *, foot: str = "") -> str:
        """Return the page."""
        links = tag("nav", *(tag("a", heading, href=f"#{anchor}") for anchor, heading, _ in self.sections),
                    aria_label="Sections")  # fmt: skip
        parts = [tag("section", tag("h2", heading), content, id=anchor) for anchor, heading, content in self.sections]
        made = f"Made by orderparam {__version__} with Python {platform.python_version()}. {foot}"
        body = [tag("header", tag("h1", self.title), lead, links), tag("main", *parts), tag("footer", tag("p", made))]
        return _shell(self.title, together(body), self.blocks)


def plotly_source() -> str:
    """Return plotly's browser library as the Python package brings it along."""
    from plotly.offline import get_plotlyjs

    return get_plotlyjs()


@cache
def _asset(name: str) -> str:
    return (files("orderparam.report.page") / name).read_text(encoding="utf-8")


def _shell(title: str, body: Html, blocks: Sequence[Html]) -> str:
    scripts = [f"\n{source}\n" for source in (plotly_source(), *map(_asset, SCRIPTS))]
    for source in scripts:
        if "</script" in source.lower():
            raise AssertionError("a script of this package would end its own element")
    policy = (
        f"default-src 'none'; script-src {' '.join(map(_hash, scripts))}; style-src 'unsafe-inline'; "
        "img-src data: blob:; font-src data:; base-uri 'none'; form-action 'none'"
    )
    head = [
        Html('<meta charset="utf-8">'),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", title),
        Html(f"<style>{_asset('page.css')}</style>"),
    ]
    run = [Html(f"<script>{source}</script>") for source in scripts]
    return "<!DOCTYPE html>\n" + tag("html", tag("head", *head), tag("body", body, *blocks, *run), lang="en") + "\n"


def _hash(source: str) -> str:
    digest = hashlib.sha256(source.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def reproduce(command: str, versions: dict[str, str] | None, seed: int | None, config: Any = None) -> Html:
    """Return what it takes to repeat a result."""
    rows = [("command", tag("code", command))] if command else []
    rows += [("seed", seed)] if seed is not None else []
    rows += [("versions", ", ".join(f"{name} {number}" for name, number in versions.items()))] if versions else []
    listed = [tag("dl", *(together([tag("dt", a), tag("dd", text(b))]) for a, b in rows))]
    if config:
        shown = json.dumps(config, indent=1, ensure_ascii=False)
        listed.append(tag("details", tag("summary", "all options"), tag("pre", shown)))
    return together(listed)
