"""*Open in Colab*: a badge above a notebook, and a cell that fetches what comes with it.

The cell does nothing where the course is already: in the unpacked release, in JupyterHub, in a
grading. Elsewhere it fetches `student.zip`, unpacks it, goes to the folder of the notebooks, and
installs the two packages that checks need, if they are missing; the grader itself is not installed.
"""

from __future__ import annotations

from grader.authoring.lessons import Lesson, LessonCell
from grader.config.course import Course
from grader.names import top_folder

BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
OPENS = "https://colab.research.google.com/github/"

FETCH = """\
# In Colab this fetches what comes with the notebook. Where that is already, nothing happens.
import importlib.util
import io
import os
import subprocess
import sys
import urllib.request
import zipfile

sys.path += [".", "..", "../.."]
if importlib.util.find_spec("{package}") is None:
    address, folder = "{address}", "{folder}"
    if not os.path.isdir(folder):  # else what you have changed there stays
        try:
            with urllib.request.urlopen(address, timeout=60) as answer:
                zipfile.ZipFile(io.BytesIO(answer.read())).extractall()
        except (OSError, zipfile.BadZipFile) as error:
            raise OSError(f"{{address}} can't be fetched ({{error}}): upload student.zip") from None
    sys.path.append(os.path.abspath(folder))
    os.chdir(os.path.join(folder, "notebooks"))
    missing = [name for name in ("msgspec", "pytest") if importlib.util.find_spec(name) is None]
    if missing:
        subprocess.run([sys.executable, "-m", "pip", "install", "-q", *missing], check=True)"""


def badge(course: Course, lesson: Lesson) -> list[LessonCell]:
    """The cell with the badge, if the course says where its notebooks are."""
    if course.colab is None:
        return []
    path = course.colab.notebooks.removeprefix("https://github.com/")
    link = f"{OPENS}{path}/{lesson.notebook_name}"
    return [LessonCell("markdown", f"[![Open in Colab]({BADGE})]({link})", 0)]


def fetching(course: Course) -> list[LessonCell]:
    """The cell that fetches `student.zip`, if the course says where it is."""
    if course.colab is None:
        return []
    package = course.public[0].name if course.public else "grader"
    address, folder = course.colab.student_zip, top_folder(course.id)
    return [LessonCell("code", FETCH.format(package=package, address=address, folder=folder), 0)]
