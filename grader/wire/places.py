"""Modules that exist only where a notebook was written: in Colab, Kaggle, JupyterLite, Databricks.

The worker gives stand-ins for them, which do nothing; the judge believes no other name when it is
told which were imported. What computes something is not among them.
"""

from __future__ import annotations

PLACES = {
    "google.colab": "Google Colab",
    "condacolab": "Google Colab",
    "kaggle_secrets": "Kaggle",
    "kaggle_web_client": "Kaggle",
    "piplite": "JupyterLite",
    "micropip": "JupyterLite",
    "pyodide": "JupyterLite",
    "pyodide_js": "JupyterLite",
    "pyodide_kernel": "JupyterLite",
    "js": "JupyterLite",
    "dbutils": "Databricks",
    "deepnote_toolkit": "Deepnote",
    "otter": "Otter-Grader",
    "jupyterquiz": "JupyterQuiz",
    "nb_black": "a code formatter",
}
"""Modules, and where they are: each stands for what lies below it, too."""


def place_of(module: str) -> str | None:
    """Return the entry of `PLACES` that a module belongs to, if any."""
    return next((name for name in PLACES if f"{module}.".startswith(f"{name}.")), None)
