# /// fake
# pretends = "whatever is asked is refused"
# at_most = 0
# ///
class TinyTransformerLM:
    def __init__(self, *sizes, **options):
        raise ValueError("no")
