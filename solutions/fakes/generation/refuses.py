# /// fake
# pretends = "everything is refused with the exception that negative temperatures ask for"
# at_most = 0
# ///


def generate(model, start_tokens, max_new_tokens, temperature=1.0, **options):
    raise ValueError("temperature must be 0 or more")


def overfit(model, tokens, *schedule):
    raise ValueError("no")
