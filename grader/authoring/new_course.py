"""A small course to start from: it verifies, releases and grades as it stands."""

from __future__ import annotations

from pathlib import Path

from grader.errors import UsageError
from grader.store.output import write_atomically

TEMPLATE = Path(__file__).parent / "templates" / "new_course"


def new_course(folder: Path) -> tuple[Path, ...]:
    """Write the course into a folder.

    Args:
        folder: a new or empty one.

    Returns:
        The files, sorted.

    Raises:
        UsageError: there is something in it, or it is no folder.
        GraderError: a file can't be written.
    """
    _require_empty(folder)
    written = []
    for source in sorted(TEMPLATE.rglob("*")):
        if source.is_file() and not {"__pycache__", ".grader"} & set(source.parts):
            path = folder / source.relative_to(TEMPLATE)
            write_atomically(path, source.read_bytes(), durable=False, mode=None)
            written.append(path)
    return tuple(written)


def _require_empty(folder: Path) -> None:
    try:
        if next(folder.iterdir(), None) is None:
            return
    except FileNotFoundError:
        return
    except NotADirectoryError:
        raise UsageError("it is no folder", where=str(folder), hint="name a new one") from None
    except OSError as error:
        raise UsageError(
            f"it can't be read ({error.strerror})", where=str(folder), hint="name a new folder"
        ) from None
    raise UsageError("the folder is not empty", where=str(folder), hint="name a new one")
