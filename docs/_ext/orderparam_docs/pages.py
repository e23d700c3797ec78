"""Pages that are written anew at every build: the API, the executed tutorials, validation and performance."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING

import orderparam

from . import cache, performance, tutorials, validation

if TYPE_CHECKING:
    from sphinx.application import Sphinx

DOCS = cache.ROOT / "docs"


def write_all(app: Sphinx) -> None:
    """Write every generated page; files that would not change are left alone, so that Sphinx does not read them."""
    del app
    write_api()
    tutorials.write_tutorials(DOCS / "tutorials")
    write(DOCS / "validation.md", validation.page())
    write(DOCS / "performance.md", performance.page())


def write(path: Path, text: str) -> None:
    """Write a page if it is new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def write_api() -> None:
    """Write one page per package and module, and the list of them."""
    folder = DOCS / "api"
    names = []
    for module in sorted(pkgutil.iter_modules(orderparam.__path__), key=lambda m: m.name):
        name = f"orderparam.{module.name}"
        inner = [f"{name}.{m.name}" for m in _submodules(name)] if module.ispkg else []
        documented = [one for one in [name, *inner] if _has_public_names(one)]
        if documented:
            names.append(module.name)
            write(folder / f"{module.name}.rst", _api_page(name, documented))
    exported = "\n".join(f"| {{py:obj}}`{one} <{_home(one)}>` | {_summary(one)} |" for one in orderparam.__all__)
    toctree = "\n".join(names)
    write(
        folder / "index.md",
        "# Python interface\n\nWhat `import orderparam` offers; everything else is imported from its module.\n\n"
        f"| name | what it is |\n|---|---|\n{exported}\n\n"
        f"```{{toctree}}\n:maxdepth: 1\n:caption: Modules\n\n{toctree}\n```\n",
    )
    for stale in folder.glob("*.rst"):
        if stale.stem not in names:
            stale.unlink()


def _submodules(name: str) -> list[pkgutil.ModuleInfo]:
    found = pkgutil.iter_modules(importlib.import_module(name).__path__)
    return sorted((m for m in found if not m.name.startswith("_")), key=lambda m: m.name)


def _has_public_names(name: str) -> bool:
    module = importlib.import_module(name)
    return any(
        getattr(value, "__module__", None) == name and not key.startswith("_") and (inspect.getdoc(value) or "")
        for key, value in vars(module).items()
        if inspect.isclass(value) or inspect.isfunction(value)
    )


def _api_page(name: str, modules: list[str]) -> str:
    title = name.removeprefix("orderparam.")
    parts = [f"{title}\n{'=' * len(title)}\n"]
    for module in modules:
        if len(modules) > 1 or module != name:
            heading = f"``{module}``"
            parts.append(f"{heading}\n{'-' * len(heading)}\n")
        parts.append(f".. automodule:: {module}\n   :members:\n")
    return "\n".join(parts)


def _home(name: str) -> str:
    value = getattr(orderparam, name)
    return f"{value.__module__}.{value.__qualname__}"


def _summary(name: str) -> str:
    return (inspect.getdoc(getattr(orderparam, name)) or "").partition("\n")[0].replace("|", r"\|")
