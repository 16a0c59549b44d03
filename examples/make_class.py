"""Writes `examples/submissions/`: a class of twelve, each a case that classrooms see.

Each student fills in the released notebook their own way, so this is run again when a lesson
changes: `python examples/make_class.py`. What each deserves, and why, is in
`tests/test_examples.py`.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from textwrap import dedent
from typing import Any

from class_answers import ANOTHER_STYLE, BY_CASE, PATCHES, RIGHT, ROWS, TOKENS, WAVES, WHOLE

from grader.authoring.lessons import lesson_paths, read_lesson
from grader.authoring.mutants import apply, load_mutants
from grader.authoring.release import solution_sources
from grader.config.course import load_course

ROOT = Path(__file__).parent
NOTEBOOKS = ROOT.parent / "course" / "notebooks"
CLASS = ROOT / "submissions"

Notebook = dict[str, Any]


def template(name: str) -> Notebook:
    """The notebook as students get it."""
    notebook: Notebook = json.loads((NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))
    return notebook


def fill(notebook: Notebook, **answers: str) -> Notebook:
    """Put answers into the solution cells that are called so."""
    for cell in notebook["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if name in answers:
            cell["source"] = dedent(answers.pop(name)).strip("\n")
    assert not answers, f"no such cells: {sorted(answers)}"
    return notebook


def insert(notebook: Notebook, before: str, *sources: str) -> Notebook:
    """Insert code cells before the solution cell that is called `before`."""
    cells = notebook["cells"]
    place = next(
        number
        for number, cell in enumerate(cells)
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == before
    )
    cells[place:place] = [code(source) for source in sources]
    for number, cell in enumerate(cells):
        cell["id"] = cell.get("id") or f"own-{number}"
    return notebook


def code(source: str) -> Notebook:
    """A code cell that a student added."""
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": "",
        "metadata": {},
        "outputs": [],
        "source": dedent(source).strip("\n"),
    }


# ---------------------------------------------------------------- the class


def write_class() -> None:
    """Write every submission anew."""
    shutil.rmtree(CLASS, ignore_errors=True)
    name = "01_embeddings"
    for student, notebook in embeddings().items():
        hand_in(student, f"{name}.ipynb", json.dumps(notebook, indent=1, ensure_ascii=False))
    for (student, assignment), notebook in rest_of_the_course().items():
        hand_in(student, f"{assignment}.ipynb", json.dumps(notebook, indent=1, ensure_ascii=False))
    hand_in("lena", f"{name}.ipynb", LETTER)
    (CLASS / "greta" / f"{name}.ipynb").rename(CLASS / "greta" / "01-Embeddings (2).ipynb")


def hand_in(student: str, file: str, content: str) -> None:
    """Write one file into a student's folder."""
    path = CLASS / student / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content + "\n", encoding="utf-8")


LETTER = "Dear all, my notebook would not save, so I copied the text into this file. Sorry! Lena"


def embeddings() -> dict[str, Notebook]:
    """Who handed in what for the first assignment."""
    name = "01_embeddings"

    def filled(**changes: str) -> Notebook:
        return fill(template(name), **{**RIGHT, **changes})

    return {
        # all right
        "anna": filled(),
        # all right, in quite another style
        "bilal": fill(template(name), **ANOTHER_STYLE),
        # one mistake: the factor is left out
        "chen": filled(TokenEmbedding=TOKENS.replace("self.factor * ", "")),
        # several: dropout always on, sines and cosines in halves, a row too many
        "dora": filled(
            SinusoidalPositionalEncoding=WAVES.replace("0::2", ": (d_model + 1) // 2").replace(
                "1::2", "(d_model + 1) // 2 :"
            ),
            LearnedPositionalEmbedding=ROWS.replace(
                "nn.Embedding(max_len,", "nn.Embedding(max_len + 1,"
            ),
            TransformerEmbedding=WHOLE.replace(
                "return self.dropout(", "return nn.functional.dropout("
            ).replace("(tokens)))", "(tokens)), self.dropout.p)"),
        ),
        # untouched
        "emil": template(name),
        # a syntax error in the learned positions
        "fatima": filled(
            LearnedPositionalEmbedding=ROWS.replace("n = x.shape[1]", "n = = x.shape[1]"),
            TransformerEmbedding=BY_CASE,
        ),
        # an exception in an early cell, everything after it is right
        "greta": insert(
            filled(), "TokenEmbedding", "corpus = open('my_corpus.txt').read()\nprint(len(corpus))"
        ),
        # an infinite loop: where a sequence is too long, it shortens the wrong thing
        "hugo": filled(
            SinusoidalPositionalEncoding=WAVES.replace(
                "            if x.shape[1] > self.max_len:\n"
                '                raise ValueError(f"{x.shape[1]} positions, at most {self.max_len}")\n',
                "            longest = x\n"
                "            while x.shape[1] > self.max_len:\n"
                "                longest = longest[:, :-1]\n",
            )
        ),
        # a huge allocation: a table of all pairs of positions, for no reason
        "ines": filled(
            LearnedPositionalEmbedding=ROWS.replace(
                "            nn.init",
                "            self.pairs = torch.zeros(10**6, 10**6)\n            nn.init",
            )
        ),
        # extra cells, other names for what the demos print, outputs kept; all right
        "jonas": jonas(filled()),
        # an attempt to patch the grader
        "kira": insert(template(name), "TokenEmbedding", PATCHES),
    }


# ---------------------------------------------------------------- the rest of the course

STYLES_OF_BILAL = {
    "blocks": "blocks_fused_qkv",
    "full_model": "full_model_functional",
    "weight_tying": "weight_tying_property",
    "memory_estimation": "memory_estimation_tensors",
    "generation": "generation_gumbel",
}
"""All right in other styles, all that they define in the last answer's cell."""

LEFT_OUT_BY_ANNA = {
    "blocks": ("rms_norm", "swiglu", "rope", "grouped_attention", "ModernBlock"),
}
"""The bonus of one assignment, which she leaves as it was handed out; all else is right."""

MISTAKES = {
    ("chen", "blocks"): "scale_missing",
    ("chen", "full_model"): "",
    ("chen", "generation"): "temperature_multiplied",
    ("dora", "blocks"): "post_norm",
    ("dora", "weight_tying"): "copied_values",
    ("dora", "memory_estimation"): "tied_twice",
    ("greta", "full_model"): "mask_off_by_one",
    ("jonas", "blocks"): "",
}
"""Who made which mistake (a mutant's name) in which assignment; none where it is empty."""


def rest_of_the_course() -> dict[tuple[str, str], Notebook]:
    """Who handed in what for the other assignments: (student, notebook's name) -> notebook."""
    course = load_course(ROOT.parent)
    mutants = {(m.assignment, m.name): m for m in load_mutants(course)}
    class_: dict[tuple[str, str], Notebook] = {}
    for assignment, path in lesson_paths(course).items():
        right = solution_sources(course, read_lesson(path))
        if assignment == "embeddings":
            continue
        without = LEFT_OUT_BY_ANNA.get(assignment, ())
        own_answers = {name: text for name, text in right.items() if name not in without}
        class_["anna", path.stem] = answered(path.stem, own_answers)
        style = (course.styles / f"{STYLES_OF_BILAL[assignment]}.py").read_text(encoding="utf-8")
        other = {  # functions that the style leaves out; classes it makes of parts of its own
            name: text
            for name, text in right.items()
            if f"def {name}(" not in style and f"class {name}(" not in text
        }
        class_["bilal", path.stem] = answered(path.stem, other | {list(right)[-1]: style})
        for (student, own), mistake in MISTAKES.items():
            if own == assignment:
                wrong = apply(mutants[own, mistake], right) if mistake else right
                class_[student, path.stem] = answered(path.stem, wrong)
    return class_


def answered(name: str, answers: dict[str, str]) -> Notebook:
    """The released notebook with these answers, without the markers of solutions."""
    texts = {
        answer: "\n".join(
            line for line in text.splitlines() if "### " not in line[:40] or "SOLUTION" not in line
        )
        for answer, text in answers.items()
    }
    return fill(template(name), **texts)


def jonas(notebook: Notebook) -> Notebook:
    """Extra cells before, between and after; renamed variables; outputs as Jupyter saves them."""
    insert(notebook, "TokenEmbedding", "%matplotlib inline\nimport time\nstart = time.time()")
    insert(notebook, "LearnedPositionalEmbedding", "!nvidia-smi\nhalf = torch.tensor([0.5])\nhalf")
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            source = cell["source"]
            text = source if isinstance(source, str) else "".join(source)
            cell["source"] = text.replace(
                "vectors = embed(tokens)", "result = embed(tokens)"
            ).replace("vectors.", "result.")
            cell["execution_count"] = 1
            cell["outputs"] = [{"name": "stdout", "output_type": "stream", "text": "it works!\n"}]
    notebook["cells"].append(code("print(f'{time.time() - start:.1f} s')"))
    notebook["cells"][-1]["id"] = "own-last"
    return notebook


if __name__ == "__main__":
    write_class()
