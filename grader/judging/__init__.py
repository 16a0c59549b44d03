"""The near side of the wall: the engine, the judge, the way to a worker."""
