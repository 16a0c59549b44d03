"""`gradebook.json`: the whole gradebook as a contract; its schema is `docs/results.schema.json`.

Two runs on the same input write the same bytes except under the key `run`. What notebooks printed
is left to the feedback files: it is long and often differs from run to run.
"""

from __future__ import annotations

import msgspec

from grader.gradebook import Gradebook
from grader.serialization import from_json, json_schema, to_json
from grader.text import json_document


def encode(gradebook: Gradebook) -> bytes:
    """Return the gradebook as indented JSON in UTF-8, with a final newline.

    It may be printed in a terminal: what would act there is written as an escape.
    """
    scores = tuple(msgspec.structs.replace(score, output="") for score in gradebook.scores)
    gradebook = msgspec.structs.replace(gradebook, scores=scores)
    compact = to_json(gradebook)
    return json_document(msgspec.json.format(compact, indent=2)) + b"\n"


def decode(content: bytes) -> Gradebook:
    """Read a `gradebook.json` back.

    Raises:
        msgspec.ValidationError: it is no gradebook.
    """
    return from_json(content, Gradebook)


def schema() -> bytes:
    """Return the JSON Schema of `gradebook.json`, as `docs/results.schema.json` holds it."""
    definition = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **json_schema(Gradebook),
    }
    return msgspec.json.format(to_json(definition), indent=2) + b"\n"
