"""Directives that run a command or a few lines of Python and show what they print, and tables of options and fields."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective
from sphinx.util.logging import getLogger

from . import cache

if TYPE_CHECKING:
    from collections.abc import Callable

    from sphinx.application import Sphinx

logger = getLogger(__name__)
FOLDER = "perovskite"
TIME_LIMIT = 240
KINDS = {int: "N", float: "X"}


class Workspaces:
    """One folder per page with the structures of a family, in which the commands of the page have run so far."""

    def __init__(self) -> None:
        self.base = Path(tempfile.gettempdir())
        self.places: dict[tuple[str, str], Path] = {}
        self.done: dict[tuple[str, str], list[list[str]]] = {}
        self.asked: dict[tuple[str, str], list[list[str]]] = {}

    def output(self, page: str, family: str, command: list[str]) -> tuple[str, int]:
        """Return what a command prints and its exit code; earlier commands of the page are run first if need be."""
        where = (page, family)
        asked = self.asked.setdefault(where, [])
        asked.append(command)
        key = cache.key_of(family, json.dumps(asked))
        known = cache.load(key)
        if known is None:
            for one in asked[len(self.done.setdefault(where, [])) :]:
                known = self._run(where, one)
            cache.save(key, known)
        return known[0], known[1]

    def keep(self, page: str, family: str, name: str) -> None:
        """Store a file that the commands so far have made, for the site; they are run again if it is not there."""
        where = (page, family)
        key = cache.key_of(family, json.dumps(self.asked[where]), name)
        target = cache.FILES / name
        if cache.load(key) is None or not target.exists():
            for one in self.asked[where][len(self.done.setdefault(where, [])) :]:
                self._run(where, one)
            cache.FILES.mkdir(parents=True, exist_ok=True)
            shutil.copy(self.places[where] / name, target)
            cache.save(key, name)

    def _run(self, where: tuple[str, str], command: list[str]) -> tuple[str, int]:
        if where not in self.places:
            self.places[where] = Path(tempfile.mkdtemp(dir=self.base))
            shutil.copytree(cache.ROOT / "structures" / where[1], self.places[where], dirs_exist_ok=True)
        self.done[where].append(command)
        done = subprocess.run(
            command,
            cwd=self.places[where],
            env=_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=TIME_LIMIT,
        )
        return done.stdout.replace(str(self.places[where]), "."), done.returncode

    def open(self, app: Sphinx) -> None:
        """Make the place for the folders; Sphinx may then fork."""
        del app
        self.base = Path(tempfile.mkdtemp(prefix="orderparam-docs-"))

    def close(self, app: Sphinx, exception: Exception | None) -> None:
        """Remove the folders."""
        del app, exception
        shutil.rmtree(self.base, ignore_errors=True)


WORKSPACES = Workspaces()


def _environment() -> dict[str, str]:
    here = [str(cache.ROOT), str(cache.ROOT / "cli"), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(part for part in here if part),
        "COLUMNS": "80",
        "NO_COLOR": "1",
        "TERM": "dumb",
        "OMP_NUM_THREADS": "1",
    }


class Run(SphinxDirective):
    """A shell command with what it prints: ``{run} orderparam symmetry LaMnO3_62.cif``.

    It runs in a copy of ``structures/perovskite`` (``:in:`` another family) that the commands of a page share.
    ``:from:`` and ``:to:`` keep the lines from one that begins so to before one that begins so; ``:fails:`` says that
    the exit code is 1; ``:hide:`` shows nothing.
    """

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[dict[str, Callable]] = {
        "in": directives.unchanged,
        "from": directives.unchanged,
        "to": directives.unchanged,
        "fails": directives.flag,
        "hide": directives.flag,
    }

    def command(self) -> tuple[list[str], str, str]:
        """Return what to run, how to show it, and the language of that."""
        text = "\n".join([*self.arguments, *self.content])
        return ["bash", "-euo", "pipefail", "-c", text], "$ " + text.replace("\n", "\n$ "), "console"

    def run(self) -> list[nodes.Node]:
        """Run it and return the block."""
        command, shown, language = self.command()
        output, code = WORKSPACES.output(self.env.docname, self.options.get("in", FOLDER), command)
        if code != (1 if "fails" in self.options else 0):
            logger.warning("exit code %d of: %s\n%s", code, shown, output[-2000:], location=self.get_location())
        if "hide" in self.options:
            return []
        printed = self._chosen(output)
        return self._blocks(shown, printed, language)

    def _blocks(self, shown: str, printed: str, language: str) -> list[nodes.Node]:
        block = nodes.literal_block(text := f"{shown}\n{printed}".rstrip(), text, language=language)
        return [block]

    def _chosen(self, output: str) -> str:
        """Return the lines asked for, without blanks at their ends."""
        lines = [line.rstrip() for line in output.splitlines()]
        start, end = 0, len(lines)
        if begins := self.options.get("from"):
            start = next((i for i, line in enumerate(lines) if line.strip().startswith(begins)), -1)
        if ends := self.options.get("to"):
            end = next((i for i in range(max(start, 0) + 1, len(lines)) if lines[i].strip().startswith(ends)), -1)
        if start < 0 or end < 0:
            logger.warning("no such line in the output:\n%s", output, location=self.get_location())
            start, end = 0, len(lines)
        kept = lines[start:end]
        return "\n".join([*(["..."] if start else []), *kept, *(["..."] if end < len(lines) else [])])


class Python(Run):
    """A few lines of Python with what they print, run like a command."""

    def command(self) -> tuple[list[str], str, str]:
        """Return what to run, how to show it, and the language of that."""
        text = "\n".join(self.content)
        return [sys.executable, "-c", text], text, "python"

    def _blocks(self, shown: str, printed: str, language: str) -> list[nodes.Node]:
        code = nodes.literal_block(shown, shown, language=language)
        return [code, nodes.literal_block(printed, printed, language="text")] if printed else [code]


class Keep(SphinxDirective):
    """A link to a file that the commands of this page have made: ``{keep} page.html``, with a text for the link."""

    required_arguments = 1
    has_content = True
    option_spec: ClassVar[dict[str, Callable]] = {"in": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        """Store the file beside the pages and link it."""
        name = self.arguments[0]
        WORKSPACES.keep(self.env.docname, self.options.get("in", FOLDER), name)
        up = "../" * self.env.docname.count("/")
        link = f'<p><a href="{up}{name}">{" ".join(self.content)}</a></p>'
        return [nodes.raw(link, link, format="html")]


class _Table(SphinxDirective, ABC):
    """A table made of Markdown rows."""

    required_arguments = 1

    @abstractmethod
    def rows(self, name: str) -> list[tuple[str, ...]]:
        """Return the rows, the head first."""

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        rows = self.rows(self.arguments[0])
        lines = [_markdown_row(rows[0]), "|---" * len(rows[0]) + "|", *map(_markdown_row, rows[1:])]
        node = nodes.Element()
        self.state.nested_parse(StringList(lines, self.env.docname), 0, node)
        return node.children


def _markdown_row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", r"\|").replace("\n", " ") for cell in cells) + " |"


def click_commands() -> dict[str, object]:
    """Return every command of the program by name."""
    import typer.main
    from orderparam_cli.main import app

    return dict(typer.main.get_command(app).commands)


class Options(_Table):
    """The arguments and options of a command, as the program itself knows them."""

    def rows(self, name: str) -> list[tuple[str, ...]]:
        """Return name, meaning and default of every one."""
        found = [("argument or option", "meaning", "default")]
        for one in click_commands()[name].params:
            if getattr(one, "hidden", False) or one.name == "help":
                continue
            if one.param_type_name == "argument":
                found.append((f"`{one.metavar or one.name.upper()}`", getattr(one, "help", None) or "", ""))
                continue
            takes = "" if one.is_flag else f" {one.metavar or KINDS.get(type(one.default), 'TEXT')}"
            shown = one.show_default if isinstance(one.show_default, str) else one.default
            default = "" if shown in (None, False, ()) or callable(shown) else f"`{shown}`"
            found.append((f"`{max(one.opts, key=len)}{takes}`", one.help or "", default))
        return found


class Fields(_Table):
    """The fields of a JSON record, from its schema; ``:depth:`` levels of them."""

    option_spec: ClassVar[dict[str, Callable]] = {"depth": directives.nonnegative_int}

    def rows(self, name: str) -> list[tuple[str, ...]]:
        """Return name, type and meaning of every one."""
        schema = json.loads((cache.ROOT / "orderparam/data/schemas" / f"{name}.json").read_text())
        self.definitions = schema.get("$defs", {})
        return [("field", "type", "meaning"), *self._of(self._resolve(schema), "", self.options.get("depth", 2))]

    def _of(self, schema: dict, prefix: str, depth: int) -> list[tuple[str, ...]]:
        found = []
        for name, one in schema.get("properties", {}).items():
            resolved = self._resolve(one)
            found.append((f"`{prefix}{name}`", self._kind(resolved), resolved.get("description", "")))
            inner, suffix = self._resolve(resolved.get("items", {})), "[]." if "items" in resolved else "."
            deeper = inner if "properties" in inner else resolved
            if depth > 1:
                found += self._of(deeper, f"{prefix}{name}{suffix}", depth - 1)
        return found

    def _resolve(self, schema: dict | bool) -> dict:
        if not isinstance(schema, dict):
            return {}
        if "$ref" in schema:
            return {**self.definitions.get(schema["$ref"].rpartition("/")[2], {}), **schema}
        for option in schema.get("anyOf", schema.get("oneOf", [])):
            if option.get("type") != "null":
                return {**self._resolve(option), **schema}
        return schema

    def _kind(self, schema: dict) -> str:
        if "const" in schema:
            return f"`{json.dumps(schema['const'])}`"
        kind = schema.get("type", "")
        kinds = " or ".join(kind) if isinstance(kind, list) else kind
        return f"{kinds} of {self._kind(self._resolve(schema['items']))}" if "items" in schema else kinds
