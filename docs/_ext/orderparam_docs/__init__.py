"""What this documentation makes while it is built, so that its pages cannot lie.

``run`` and ``python`` directives show what a command prints; ``options`` and ``fields`` read the command line and the
JSON schemas; the validation, performance, tutorial and API pages are written from results and sources.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import commands, links, markup, pages

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, bool]:
    """Register everything with Sphinx."""
    app.add_directive("run", commands.Run)
    app.add_directive("python", commands.Python)
    app.add_directive("keep", commands.Keep)
    app.add_directive("options", commands.Options)
    app.add_directive("fields", commands.Fields)
    app.add_html_math_renderer("mathml", (markup.visit_inline, None), (markup.visit_block, None))
    app.connect("autodoc-process-docstring", markup.escape_docstring, priority=100)  # before napoleon
    app.connect("builder-inited", pages.write_all)
    app.connect("builder-inited", commands.WORKSPACES.open)
    app.connect("build-finished", commands.WORKSPACES.close)
    app.connect("build-finished", links.check_site)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
