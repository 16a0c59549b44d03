"""The course's own model with weights that are drawn here, over there without a writer."""

from sure_texts import MODEL

from course.checks.writers import PARTS
from course.parts import TinyTransformerLM
from grader.testing import Handle, SubmissionNames, attribute


def sent(submission: SubmissionNames, model: TinyTransformerLM) -> Handle:
    """The same untied model over there, in eval mode."""
    sizes = {**MODEL, "max_len": model.max_len, "tie_weights": False}
    theirs = submission.placed(submission.module("course.parts").TinyTransformerLM(**sizes))
    for name in PARTS:
        attribute(theirs, name).load_state_dict(dict(getattr(model, name).state_dict()))
    return theirs.eval()
