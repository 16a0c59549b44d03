"""Classes of people with any ids and names, handed in in any way, where it is known whose is what.

A class is drawn by hypothesis: who is in it, how the platform or the instructor lays files out, and
what people put into what is theirs, such as folders that are called like somebody else.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import strategies as st

from grader.intake.groups import NOBODY, Enrolled, Enrolment

Draw = Callable[[st.SearchStrategy], object]

DIGITS = st.integers(0, 9).map(str)


def numbers(least: int, most: int) -> st.SearchStrategy[str]:
    return st.integers(10 ** (least - 1), 10**most - 1).map(str)


LIKE_FILLER = st.builds(
    "{}{}".format,
    st.sampled_from(["hw", "ex", "nb", "a", "v", "my", "lab", "new", "old", "ver", "of"]),
    st.integers(3, 99),  # hw1 and hw2 are names of assignments
)
IDS = st.one_of(
    st.builds("{}{}".format, st.sampled_from("avsnzk"), numbers(6, 7)),
    LIKE_FILLER,
    numbers(2, 2),
    numbers(5, 9),
    st.builds("{}@uni.edu".format, st.sampled_from(["ann", "final.bo", "new.smith", "smith", "a.b"])),
    st.sampled_from(
        ["ann", "bob", "anna_new", "anna_old", "anna", "Ben Work", "Ben", "Müller Jörg", "李小龙",
         "a_smith", "smith", "O'Neil", "x-1", "alice.b"]
    ),
)  # fmt: skip
TELLING_IDS = st.one_of(
    st.builds("{}{}".format, st.sampled_from("avsnzk"), numbers(6, 7)),
    numbers(5, 9),
    st.sampled_from(
        ["ann", "bob", "anna_new", "anna_old", "anna", "Ben Work", "Ben", "Müller Jörg", "李小龙",
         "smith", "new.smith@uni.edu", "smith@uni.edu", "alice.b", "von Berg", "Berg", "de_Groot"]
    ),
)  # fmt: skip
COPY_OF = ["Copy of ", "Kopie von ", "Copie de ", "Copia_di_", "Cópia de Cópia de "]
NAMES = st.one_of(
    st.sampled_from(
        ["Ann Doe", "Bo Lee", "homework", "Embeddings Final", "Project 1", "Group 2", "final", "copy",
         "embeddings", "blocks", "hw3", "LATE", "anon", "Test 1 2", "Müller Jörg", "李小龙", "v2",
         "Week 1 Lab", "submissions", "a"]
    ),
    st.text(st.sampled_from("abcdeé 12-_.'"), min_size=1, max_size=9).filter(
        lambda text: text.strip()[:1].isalnum()  # what begins with a dot is hidden
    ),
)  # fmt: skip
FILES = [
    "embeddings.ipynb",
    "01_embeddings.ipynb",
    "2_embeddings.ipynb",
    "hw.ipynb",
    "embeddings.py",
]


@dataclass
class Class:
    """Files, the students whose each is, where it lies, and whether the layout tells all that."""

    layout: str
    tells: bool
    files: dict[str, bytes] = field(default_factory=dict)
    owners: dict[bytes, set[str]] = field(default_factory=dict)
    places: dict[bytes, str] = field(default_factory=dict)
    students: set[str] = field(default_factory=set)
    enrolment: Enrolment = NOBODY

    def add(self, name: str, *owners: str) -> bytes:
        """Put a file there that is like no other."""
        source = f"mark = {len(self.owners)}"
        cell = {"cell_type": "code", "source": source, "metadata": {}, "outputs": []}
        notebook = {"cells": [cell], "metadata": {}, "nbformat": 4}
        content = json.dumps(notebook).encode() if name.endswith(".ipynb") else source.encode()
        self.files[name] = content
        self.own(content, name, *owners)
        return content

    def own(self, content: bytes, place: str, *owners: str) -> None:
        self.places[content] = place
        self.owners[content] = set(owners)
        self.students |= set(owners)


def _below(draw: Draw, found: Class, folder: str, owner: str, others: list[str]) -> None:
    """What somebody puts into a place of their own, as files or as a zip of them."""
    inside = Class("", tells=True)
    inside.add(draw(st.sampled_from(FILES)), owner)
    if others and draw(st.booleans()):
        # `blocks.ipynb` is for another assignment, whoever it is called after
        other = draw(st.sampled_from(others).map(lambda name: "bob" if name == "blocks" else name))
        name = draw(
            st.sampled_from([f"{other}/embeddings.ipynb", f"{other}.ipynb", "deep/er/x.py"])
        )
        inside.add(name, owner)
    as_zip = draw(st.booleans())
    for content in inside.files.values():
        marked = content.replace(b"mark = ", f"mark = {len(found.owners)}, ".encode())
        inside.files = {n: marked if c is content else c for n, c in inside.files.items()}
        found.own(marked, folder, owner)
    if as_zip:
        found.files[f"{folder}.zip" if draw(st.booleans()) else f"{folder}/work.zip"] = _zip(
            inside.files
        )
    else:
        found.files.update({f"{folder}/{name}": c for name, c in inside.files.items()})


def _zip(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        for name, content in files.items():
            made.writestr(name, content)
    return stream.getvalue()


def _folders(draw: Draw) -> Class:
    people = draw(st.lists(IDS, min_size=1, max_size=5, unique=True))
    found = Class("folders", tells=True)
    for person in people:
        others = [*people, "roebob_102_9002_x.ipynb", "Bo Lee_212_assignsubmission_file_"]
        others.remove(person)
        _below(draw, found, person, person, others)
    return found


def _flat(draw: Draw) -> Class:
    people = draw(st.lists(IDS, min_size=1, max_size=5, unique=True))
    found = Class("files", tells=True)
    for person in people:
        found.add(f"{person}.ipynb", person)
    return found


def _named(draw: Draw) -> Class:
    tells = draw(st.booleans())
    people = draw(st.lists(TELLING_IDS if tells else IDS, min_size=1, max_size=5, unique=True))
    found = Class("named", tells=tells)
    for person in people:
        after = draw(st.sampled_from(["", "_final", " (2)", "_v2"]))
        name = draw(st.sampled_from(["embeddings_{}{}", "01 embeddings {}{}", "{1}{0}_embeddings"]))
        if name.startswith("{1}"):
            after = ""
        # what Drive makes of a copy, and what Moodle puts before a name
        before = draw(st.sampled_from(["", "", *COPY_OF, "Assignment 1 - "]))
        found.add(f"{before}{name.format(person, after)}.ipynb", person)
    return found


def _repositories(draw: Draw) -> Class:
    """Repositories of whoever is in the roster, unpacked or as GitHub's zips.

    Whose login ends as another's, after a word that means nothing elsewhere, is not that other.
    """
    logins = st.one_of(TELLING_IDS, st.sampled_from(["final-boss", "boss"]))
    people = draw(st.lists(logins, min_size=1, max_size=3, unique=True))
    if len(people) > 1:  # beside others, what looks like a draft's number is a login
        people = list(dict.fromkeys([*people, *draw(st.lists(IDS, max_size=3))]))
    branch = draw(st.sampled_from(["", "", "-main"]))
    found = Class("repositories", tells=True)
    for person in people:
        others = [one for one in people if one != person]
        folder = f"embeddings-{person}{branch}"
        _below(draw, found, folder, person, others)
        found.add(f"{folder}/tests/test_embeddings.py", person)
    found.enrolment = Enrolment(ids=frozenset(people))
    return found


@dataclass
class Member:
    name: str
    number: str


def _members(draw: Draw) -> list[Member]:
    names = draw(st.lists(NAMES, min_size=1, max_size=5))
    start = draw(st.integers(100, 99_000))
    return [Member(name, str(start + n * 3)) for n, name in enumerate(names)]


def canvas_name(name: str) -> str:
    """A name as Canvas writes it: no spaces or punctuation, and no number between underscores."""
    plain = re.sub(r"\W", "", name).lower()
    return re.sub(r"_(\d+)(?=_|$)", r"\1", plain) or "x"


def _canvas(draw: Draw) -> Class:
    members = _members(draw)
    found = Class("canvas", tells=True)
    attachment = draw(st.integers(1_000, 9_000_000))
    late = draw(st.booleans())
    for member in members:
        student = f"{canvas_name(member.name)}_{member.number}"
        head = f"{canvas_name(member.name)}{'_LATE' if late else ''}_{member.number}"
        file = draw(st.sampled_from([*FILES, "102_9002_embeddings.ipynb"]))
        for again in range(draw(st.integers(1, 3))):
            base, _, ending = file.rpartition(".")
            name = f"{base}-{again}.{ending}" if again else file
            attachment += 1
            found.add(f"{head}_{attachment}_{name}", student)
        if draw(st.booleans()):
            found.files[f"{head}_text.html"] = b"<p>"
        if draw(st.booleans()):
            others = [canvas_name(one.name) for one in members if one is not member]
            attachment += 1
            _below(draw, found, f"{head}_{attachment}_work", student, others)
    return found


def _moodle(draw: Draw) -> Class:
    members = _members(draw)
    found = Class("moodle", tells=True)
    flat = draw(st.booleans())
    for member in members:
        name = member.name.replace("_", " ").strip() or "x"
        student = f"{name}_{member.number}"
        head = f"{student}_assignsubmission_file_"
        others = [one.name.replace("/", "") for one in members if one is not member]
        if flat:
            file = draw(st.sampled_from([*FILES, "Bo_103_assignsubmission_file_x.ipynb"]))
            found.add(f"{head}{file}", student)
        else:
            _below(draw, found, head, student, others)
    return found


def _brightspace(draw: Draw) -> Class:
    members = _members(draw)
    found = Class("brightspace", tells=True)
    for member in members:
        name = member.name.strip() or "x"
        student = f"{name}_{member.number}"
        for day in range(1, draw(st.integers(2, 3))):
            folder = f"{member.number}-900 - {name} - Mar {day}, 2026 1059 PM"
            _below(draw, found, folder, student, [one.name for one in members])
    return found


def _blackboard(draw: Draw) -> Class:
    users = draw(
        st.lists(IDS.filter(lambda one: " " not in one), min_size=1, max_size=5, unique=True)
    )
    found = Class("blackboard", tells=True)
    title = draw(st.sampled_from(["Embeddings", "Week_1", "a_b_c"]))
    for user in users:
        for day in range(1, draw(st.integers(2, 3))):
            stem = f"{title}_{user}_attempt_2026-03-0{day}-10-00-00"
            name = draw(NAMES)
            found.files[f"{stem}.txt"] = f"Name: {name} ({user})\nDate\n".encode()
            found.add(f"{stem}_{draw(st.sampled_from(FILES))}", user)
    return found


def _sakai(draw: Draw) -> Class:
    users = draw(st.lists(IDS, min_size=1, max_size=5, unique=True))
    found = Class("sakai", tells=True)
    title = draw(st.sampled_from(["", "Embeddings/"]))
    found.files[f"{title}grades.csv"] = b""
    for user in users:
        name = draw(NAMES).replace("/", "").strip()
        folder = f"{title}{name}({user})/Submission attachment(s)"
        _below(draw, found, folder, f"{name}_{user}", [one for one in users if one != user])
    return found


def _groups(draw: Draw) -> Class:
    """Groups whose members a table tells; beside them people who are called as groups are."""
    platform = draw(st.sampled_from(["canvas", "moodle"]))
    found = Class(f"groups of {platform}", tells=True)
    called = ["Project 1", "Team B", "homework", "Embeddings Final"]
    sizes = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    people: list[Enrolled] = []
    number = draw(st.integers(100, 9_000))
    write = canvas_name if platform == "canvas" else str
    for place, size in enumerate(sizes):
        members = []
        for _ in range(size):
            number += 1
            members.append(Enrolled(str(number), f"Person {number}", (called[place],)))
        people += members
        owners = [f"{write(one.name)}_{one.number}" for one in members]
        if platform == "canvas":
            found.add(f"{canvas_name(called[place])}_{number}_90{number}_embeddings.ipynb", *owners)
        else:
            folder = f"{called[place]}_{7 + place}_assignsubmission_file_"
            found.add(f"{folder}/embeddings.ipynb", *owners)
    if draw(st.booleans()):
        number += 1
        alike = Enrolled(str(number), called[0])
        people.append(alike)
        head = f"{write(alike.name)}_{number}"
        rest = f"90{number}_x.ipynb" if platform == "canvas" else "assignsubmission_file_/x.ipynb"
        found.add(f"{head}_{rest}", head)
    found.enrolment = Enrolment(people=tuple(people))
    return found


DOWNLOADS = ("canvas", "moodle", "brightspace", "blackboard", "sakai")
LAYOUTS = (
    _folders, _flat, _named, _repositories, _canvas, _moodle, _brightspace, _blackboard, _sakai, _groups,
)  # fmt: skip


WRAPPERS = ["", "", "submissions/", "Class of 2026/", "Spring 2026/submissions/"]


@st.composite
def classes(draw: Draw) -> Class:
    """A class in any layout, perhaps in a folder that is nobody's."""
    found = draw(st.sampled_from(LAYOUTS))(draw)
    wrappers = [*WRAPPERS, "embeddings/"] if found.layout in DOWNLOADS else WRAPPERS
    wrapper = draw(st.sampled_from(wrappers))
    found.files = {f"{wrapper}{name}": content for name, content in found.files.items()}
    return found
