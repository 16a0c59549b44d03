"""What learning platforms call files and folders in their downloads.

| platform | a file or folder at the top |
| --- | --- |
| Canvas | `NAME[_LATE]_USER_ATTACHMENT_FILE`; without names `anon_CODE[_LATE]_ATTACHMENT_FILE` |
| | text and links: `NAME[_LATE]_USER_text.html`, `…_link.html` |
| Moodle | `FULL NAME_NUMBER_assignsubmission_file_/FILE`, or flat, `…_assignsubmission_file_FILE` |
| Blackboard | `ASSIGNMENT_USER_attempt_DATE_FILE`, with `ASSIGNMENT_USER_attempt_DATE.txt` |
| Brightspace | `USER-FOLDER - NAME - DATE/FILE`, or flat, `USER-FOLDER - NAME - DATE - FILE` |
| Sakai | `NAME(USER)/Submission attachment(s)/FILE` |
| nbgrader's exchange | `STUDENT+ASSIGNMENT+TIME[+CODE]/FILE` |

A person chooses what is called NAME and FILE here, the platform all the rest. So whose a file is,
is told by the platform's part alone, and never by what somebody has written into a name.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from grader.intake.listing import Origin
from grader.model import Moment, Value
from grader.times import parse_time

MAX_STAMP_CHARS = 100

_CANVAS = re.compile(
    r"(?:(?!LATE_anon_|anon_(?!LATE_))(?P<name>\w+?)_)?(?:(?P<early>LATE)_)?"
    r"(?P<user>anon_(?!LATE_)[^_]+|\d+)_"
    r"(?:(?P<late>LATE)_)?(?P<attachment>\d+)_(?P<file>.+)",
    re.S,
)
_CANVAS_PAIR = re.compile(
    r"_(?P<early>LATE_)?(?P<user>\d{1,18})_(?P<late>LATE_)?(?P<attachment>[1-9]\d{0,17})_(?=.)",
    re.S,
)
_CANVAS_WORDS = re.compile(
    r"(?:(?!LATE_anon_|anon_(?!LATE_))(?P<name>\w+)_)?(?:(?P<early>LATE)_)?"
    r"(?P<user>anon_(?!LATE_)[^_]+|\d+)_"
    r"(?:(?P<late>LATE)_)?(?:\d+_)?(?P<file>(?:text|link)\.html?)"
)
_MOODLE = re.compile(
    r"(?P<name>.+?)_(?P<user>\d+)_assignsubmission_(?:file|onlinetext)_?(?P<file>.*)", re.S
)
_AGAIN = re.compile(r"-(\d{1,3})(?=(?:\.[^.]+)?$)")
_DATE = r"(?P<date>\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d)"
_BLACKBOARD = re.compile(rf"(?P<whose>.+?)_attempt_{_DATE}(?:_(?P<file>.+)|\.txt)?", re.S)
NOTE = "note of the platform.txt"
RECEIPT = re.compile(rf".+?_attempt_{_DATE}\.txt", re.S)
"""What Blackboard writes beside each attempt."""
_RECEIPT_USER = re.compile(r"\((?P<user>[^()]+)\)\s*$")
_BRIGHTSPACE = re.compile(
    r"(?P<user>\d+)-(?P<folder>\d+) - (?P<name>.+?) ?- "
    r"(?P<date>[^\W\d]+\.? \d{1,2},? \d{4} \d{3,4}(?: ?[AP]M)?|"
    r"\d{1,2} [^\W\d]+\.?,? \d{4} \d{3,4}(?: ?[AP]M)?)(?: - (?P<file>.+))?",
    re.S | re.I,
)
_BRIGHTSPACE_TIMES = ("%b %d %Y %I%M %p", "%B %d %Y %I%M %p", "%d %b %Y %H%M", "%d %B %Y %H%M",
                      "%b %d %Y %H%M", "%B %d %Y %H%M")  # fmt: skip
_SAKAI = re.compile(r"(?P<name>.+)\((?P<user>[^()]+)\)", re.S)
SAKAI_FILES = "submission attachment(s)"
SAKAI_WORDS = "_submissiontext.html"
WORDS = frozenset({"text.html", "link.html", "text.htm", "link.htm", "onlinetext.html"})
"""What Canvas and Moodle call that which was typed instead of handed in as a file."""


class Owned(Value, frozen=True):
    """What a name at the top of a download says. `file` is empty when it is a folder's.

    `origin` is what it says of where the files come from.
    """

    student: str
    file: str = ""
    origin: Origin = Origin()


# ---------------------------------------------------------------- Canvas


def read_canvas(name: str) -> Owned | None:
    """Read a name that Canvas gave, by the first pair of numbers in it."""
    match = _CANVAS.fullmatch(name)
    if match is None or not (match["name"] or match["user"].startswith("anon_")):
        return _canvas_words(name)
    student = f"{match['name']}_{match['user']}" if match["name"] else match["user"]
    late = bool(match["early"] or match["late"])
    return _canvas_file(student, match["file"], int(match["attachment"]), late=late)


def _canvas_file(student: str, file: str, attachment: int, *, late: bool) -> Owned:
    again = _AGAIN.search(file)
    origin = Origin(
        late=late,
        series=_AGAIN.sub("", file),
        attempt=(int(again[1]) if again else 0, attachment),
    )
    return Owned(student=student, file=file, origin=origin)


def own_name(file: str, origin: Origin) -> str:
    """Return what a student called a file: `hw.ipynb`, where Canvas has made `hw-2.ipynb` of it."""
    plain = _AGAIN.sub("", file)
    return plain if plain.casefold() == origin.series.casefold() else file


def _canvas_words(name: str) -> Owned | None:
    """Read the name of a text or a link that was handed in instead of a file."""
    match = _CANVAS_WORDS.fullmatch(name)
    if match is None or not (match["name"] or match["user"].startswith("anon_")):
        return None
    student = f"{match['name']}_{match['user']}" if match["name"] else match["user"]
    return Owned(
        student=student,
        file=match["file"],
        origin=Origin(late=bool(match["early"] or match["late"])),
    )


def canvas_readings(name: str) -> list[Owned]:
    """Return every way to read a name that Canvas gave.

    There are several where somebody's own name ends, or their file's begins, with a number.
    """
    first = read_canvas(name)
    if first is None or not first.origin.attempt or first.student.startswith("anon_"):
        return [] if first is None else [first]
    found = []
    place = 0
    while pair := _CANVAS_PAIR.search(name, place):
        place = pair.start() + 1
        person = name[: pair.start()]
        if re.fullmatch(r"\w+", person) and not person.endswith("_LATE"):
            late = bool(pair["early"] or pair["late"])
            student = f"{person}_{pair['user']}"
            file = name[pair.end() :]
            found.append(_canvas_file(student, file, int(pair["attachment"]), late=late))
    return found or [first]


def read_canvas_class(names: Collection[str]) -> tuple[dict[str, Owned], list[str]]:
    """Read the names of a download together; return the owners, and what is of one of several.

    Canvas numbers all attachments in one series, so those of one assignment have about as many
    digits: that tells which number of `roebob_102_103_9004_words.py` is the attachment's.
    """
    readings = {name: found for name in names if (found := canvas_readings(name))}
    sure = [found[0] for found in readings.values() if len(found) == 1]
    sure = [one for one in sure if one.origin.attempt] or [f[0] for f in readings.values()]
    digits = {_digits(one) for one in sure if one.origin.attempt}
    owned: dict[str, Owned] = {}
    unclear = []
    for name, found in readings.items():
        fitting = [one for one in found if _digits(one) in digits]
        fitting = found if len(found) == 1 else fitting
        if len(fitting) == 1:
            owned[name] = fitting[0]
        else:
            unclear.append(name)
    return owned, unclear


def _digits(one: Owned) -> int:
    """How many digits the number of a file has; 0 where it has none."""
    return len(str(one.origin.attempt[1])) if one.origin.attempt else 0


def is_surely_canvas(name: str) -> bool:
    """Whether a name can hardly be anything else: `lab_1_2_final.ipynb` only looks like Canvas."""
    found = canvas_readings(name)
    if not found or not found[0].origin.attempt:
        return False
    user, attachment = found[0].student.rpartition("_")[2], str(found[0].origin.attempt[1])
    is_date = user[:2] in ("19", "20") and len(user) == 4 and len(attachment) <= 4
    return len(user) >= 3 and len(attachment) >= 3 and not is_date


# ---------------------------------------------------------------- Moodle, Brightspace, Sakai


def read_moodle(name: str) -> Owned | None:
    """Read a name that Moodle gave."""
    match = _MOODLE.fullmatch(name)
    if match is None:
        return None
    return Owned(student=f"{match['name']}_{match['user']}", file=match["file"])


def read_brightspace(name: str) -> Owned | None:
    """Read a name that Brightspace gave. Its date puts several hand-ins in order."""
    match = _BRIGHTSPACE.fullmatch(name)
    if match is None:
        return None
    moment = _brightspace_time(match["date"])
    origin = Origin(series=BY_DATE, attempt=(moment, 0)) if moment else Origin()
    student = f"{match['name'].strip()}_{match['user']}"
    return Owned(student=student, file=match["file"] or "", origin=origin)


def _brightspace_time(text: str) -> int:
    """Return a time as seconds that only serve to compare it; 0 where it can't be read."""
    plain = re.sub(r"[.,]", "", text)
    plain = re.sub(r"(?<= )(\d{3})(?=$| )", r"0\1", plain)
    plain = re.sub(r"(?<=\d)(?=[AaPp][Mm])", " ", plain)
    for pattern in _BRIGHTSPACE_TIMES:
        try:
            return int(datetime.strptime(plain, pattern).replace(tzinfo=UTC).timestamp())
        except ValueError:
            continue
    return 0


def read_sakai(name: str) -> Owned | None:
    """Read a name that Sakai gave."""
    match = _SAKAI.fullmatch(name)
    if match is None or not match["name"].strip():
        return None
    return Owned(student=f"{match['name'].strip()}_{match['user'].strip()}")


# ---------------------------------------------------------------- Blackboard

BY_DATE = "by date"
"""The series of files that a platform dates, whatever they are called."""


def receipt_user(content: bytes) -> str:
    """Return the user whom Blackboard's note beside an attempt names; empty if it names none.

    Its first line ends with the user in brackets; before that stands what they call themselves.
    """
    line = content[:2000].decode("utf-8-sig", "replace").partition("\n")[0]
    match = _RECEIPT_USER.search(line.rstrip())
    return match["user"].strip() if match else ""


def read_blackboard_class(
    names: Collection[str], users: Mapping[str, str]
) -> tuple[dict[str, Owned], list[str]]:
    """Read the names of a download together; return the owners, and what is of one of several.

    Args:
        names: files at the top.
        users: what the notes say, by their names without `.txt`.
    """
    matches = {name: found for name in names if (found := _BLACKBOARD.fullmatch(name))}
    told = {}
    for name, match in matches.items():
        user = users.get(f"{match['whose']}_attempt_{match['date']}", "")
        if user and match["whose"].endswith(f"_{user}"):
            told[name] = user
    before = {m["whose"].removesuffix(told[n]) for n, m in matches.items() if n in told}
    before = before or {_common_prefix({match["whose"] for match in matches.values()})}
    owned: dict[str, Owned] = {}
    unclear = []
    for name, match in matches.items():
        whose = match["whose"]
        users_of = {told[name]} if name in told else _rests(whose, before)
        if len(users_of) != 1:
            unclear.append(name)
            continue
        origin = Origin(series=BY_DATE, attempt=(_seconds(match["date"]), 0))
        (user,) = users_of
        owned[name] = Owned(student=user, file=match["file"] or NOTE, origin=origin)
    return owned, unclear


def _rests(whose: str, before: Collection[str]) -> set[str]:
    """Return what follows any of the beginnings."""
    return {whose.removeprefix(one) for one in before if one and whose.startswith(one)} - {""}


def _seconds(date: str) -> int:
    """Return a moment as seconds that only serve to compare it; 0 where there is none such."""
    try:
        return int(datetime.strptime(date, "%Y-%m-%d-%H-%M-%S").replace(tzinfo=UTC).timestamp())
    except ValueError:
        return 0


def _common_prefix(texts: Collection[str]) -> str:
    """Return what all of these begin with, to the last `_`; of one alone, to its last `_`."""
    low, high = min(texts, default=""), max(texts, default="")
    length = next((n for n, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), len(low))
    return low[: low[:length].rfind("_") + 1]


# ---------------------------------------------------------------- nbgrader


def read_nbgrader(name: str) -> Owned | None:
    """Read a name that `nbgrader submit` gave. The student's own process writes it."""
    student, assignment, time, *_ = [*name.split("+"), "", ""]
    moment = _utc(time)
    if not (student and assignment and moment):
        return None
    origin = Origin(
        submitted_at=moment,
        time_from="the folder's name in nbgrader's exchange, which the student's side writes",
        attempt=(int(moment.timestamp()), 0),
    )
    return Owned(student=student, file=assignment, origin=origin)


def read_stamp(content: bytes) -> Origin | None:
    """Read nbgrader's `timestamp.txt`; None if it holds no time."""
    text = content[:MAX_STAMP_CHARS].decode("utf-8", "replace")
    moment = _utc(text.strip())
    if moment is None:
        return None
    return Origin(
        submitted_at=moment,
        time_from="nbgrader's timestamp.txt, which the student's side writes",
    )


def _utc(text: str) -> Moment | None:
    """A time of nbgrader's, which means UTC where it names no zone."""
    try:
        return parse_time(text, "UTC").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
