"""The first of nbgrader's two passes over a submission: nothing of it is executed."""

from __future__ import annotations

from typing import Any

import nbformat
from nbgrader.preprocessors import NbGraderPreprocessor

from grader.integrations.nbgrader.cells import Source, rebuild


class RestoreCells(NbGraderPreprocessor):
    """Rebuilds the notebook around the cells that the gradebook knows."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Return a valid notebook, whatever was handed in."""
        source: Source = resources["grader"]["source"]
        made, repairs = rebuild(nb, source)
        names = resources["nbgrader"]
        for repair in repairs:
            self.log.warning("%s: %s: %s", names["student"], names["assignment"], repair)
        return nbformat.from_dict(made), resources
