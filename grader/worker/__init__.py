"""The far side of the trust boundary: what runs in a submission's processes. Nobody imports it."""
