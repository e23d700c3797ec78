"""Sphinx configuration: ``python -m sphinx -j 2 -W --keep-going -b html docs docs/_build``."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent), str(HERE.parent / "cli")]

import orderparam  # noqa: E402

(HERE / "_cache" / "files").mkdir(parents=True, exist_ok=True)

project = "orderparam"
author = "The orderparam developers"
copyright = author
version = release = orderparam.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "orderparam_docs",
]
exclude_patterns = ["_build", "_cache", "_ext", "data", "jupyter_execute"]
suppress_warnings = ["ref.python"]  # shapes such as (n, dimension) are no references
html_theme = "furo"
html_title = f"orderparam {version}"
html_static_path = ["_static"]
html_extra_path = ["_cache/files"]
html_css_files = ["orderparam.css"]
html_copy_source = False
html_show_sourcelink = False
html_math_renderer = "mathml"

myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # the tutorials come executed: `_ext/orderparam_docs/tutorials.py`
copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
add_module_names = False
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
