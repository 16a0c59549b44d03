"""Which of a student's files is for which assignment. The rules: `grader.intake.discovery`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import msgspec

from grader.errors import IntakeError
from grader.intake.listing import Fault, Origin
from grader.intake.matching import Matcher
from grader.intake.notebook import require_readable_size
from grader.intake.owners import Held, Holding, stem
from grader.intake.platforms import NOTE, SAKAI_WORDS, WORDS, own_name, read_stamp
from grader.intake.reading import Reader, digest
from grader.intake.readings import MAX_FILES, OverBudget, ReadingBudget, Readings
from grader.intake.rivals import (
    Claim,
    Evidence,
    are_attempts,
    choose_rivals,
    in_order,
    is_aside,
    is_script,
    looks_exported,
    packages_of,
)
from grader.model import Problem, ProblemKind, Submission, Value
from grader.names import clean_name
from grader.text import shown_name

MAX_FAULTS = 20
"""Places of one student's that can't be looked into and are named one by one."""


class Meaning(Value, frozen=True):
    """What a file is for, or the problem that there is with telling."""

    assignment: str = ""
    evidence: Evidence = Evidence.ONLY_FILE
    kind: ProblemKind = ProblemKind.UNMATCHED
    message: str = "it matches no assignment"


UNKNOWN = Meaning()


class Decision(Value, frozen=True):
    """What a student's holding comes to."""

    submissions: tuple[Submission, ...]
    problems: tuple[Problem, ...]


class AssignmentNames(Value, frozen=True):
    """What a course calls its assignments.

    matcher: finds them in names. wanted: the ids that are asked for; files for others are passed
    over. known: the id that a notebook's metadata means, by what it says in lower case.
    handed_out: the digests of the course's own notebooks, as students get them.
    """

    matcher: Matcher
    wanted: frozenset[str]
    known: Mapping[str, str]
    handed_out: frozenset[str] = frozenset()


def decide(
    holding: Holding, student: str, rules: AssignmentNames, reader: Reader, readings: Readings
) -> Decision:
    """Read a student's files and choose one for each assignment. `student` is the name to use."""
    desk = _Desk(student, rules, reader, readings)
    desk.report_faults(holding.faults)
    if len(holding.files) > MAX_FILES:
        desk.report(
            ProblemKind.TOO_MANY,
            f"{len(holding.files)} notebooks and scripts, the limit is {MAX_FILES}: none is graded",
            holding.entry,
            hint="keep those that count",
        )
    else:
        try:
            desk.sort(holding)
            desk.choose()
        except OverBudget as error:
            desk.problems.clear()
            desk.report_faults(holding.faults)
            desk.report(ProblemKind.TOO_MUCH, error.message, holding.entry, hint=error.hint)
    if not (desk.submissions or desk.problems or desk.passed_over):
        desk.report(
            ProblemKind.NOTHING_USABLE,
            "no notebook (.ipynb) or script (.py) was found",
            holding.entry,
            hint=_content(holding),
        )
    return Decision(submissions=tuple(desk.submissions), problems=tuple(desk.problems))


def sort_files(
    holding: Holding, student: str, rules: AssignmentNames, reader: Reader
) -> list[tuple[Held, str]]:
    """Return a student's files, each with its assignment, empty where that can't be told.

    Those of a student who has handed in too much to read are refused.
    """
    if len(holding.files) > MAX_FILES:
        return [(held, "") for held in holding.files]
    desk = _Desk(student, rules, reader, Readings())
    try:
        desk.sort(holding)
    except OverBudget as error:
        return [(_refused(held, error), "") for held in holding.files]
    return desk.sorted


def _refused(held: Held, error: IntakeError) -> Held:
    node = msgspec.structs.replace(held.node, refused=error.message, hint=error.hint)
    return msgspec.structs.replace(held, node=node)


def _content(holding: Holding) -> str:
    if any(_is_words(name) for name in holding.others):
        return "text or a link was handed in instead of a file: read it, and grade it by hand"
    names = [shown_name(name, 60) for name in sorted(holding.others)]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"it holds {', '.join(names[:3])}{more}" if names else "it is empty"


def _is_words(name: str) -> bool:
    """Whether a platform keeps under this name what somebody has typed instead of a file."""
    return name in (*WORDS, NOTE) or name.casefold().endswith(SAKAI_WORDS)


class _Desk:
    """Where one student's files are sorted."""

    def __init__(
        self, student: str, rules: AssignmentNames, reader: Reader, readings: Readings
    ) -> None:
        self.student = student
        self.rules = rules
        self.reader = reader
        self.readings = readings
        self.budget = ReadingBudget()
        self.submissions: list[Submission] = []
        self.problems: list[Problem] = []
        self.claims: dict[str, list[Claim]] = defaultdict(list)
        self.passed_over = False
        self.sorted: list[tuple[Held, str]] = []
        self.unmatched: list[tuple[Claim, Meaning]] = []
        self.aside: set[Held] = set()

    def report(
        self,
        kind: ProblemKind,
        message: str,
        entry: str,
        *,
        hint: str = "",
        assignment: str | None = None,
    ) -> None:
        self.problems.append(
            Problem(
                kind=kind,
                message=message,
                where=shown_name(entry, 2000),
                hint=hint,
                student=self.student,
                assignment=assignment,
            )
        )

    def report_faults(self, faults: Sequence[Fault]) -> None:
        """Report places that can't be looked into."""
        for fault in faults[:MAX_FAULTS]:
            self.report(fault.kind, fault.message, fault.entry, hint=fault.hint)
        if len(faults) > MAX_FAULTS:
            more = f"and {len(faults) - MAX_FAULTS} more places that can't be looked into"
            self.report(ProblemKind.UNREADABLE, more, faults[-1].entry)

    # ------------------------------------------------------------ reading

    def sort(self, holding: Holding) -> None:
        """Give every file to an assignment, or report why that can't be done.

        Raises:
            OverBudget: together they are too much to read.
        """
        packages = packages_of(holding.files)
        self.aside = {held for held in holding.files if is_aside(held, packages)}
        answers = [held for held in holding.files if held not in self.aside] or holding.files
        alone = len(answers) == 1 or are_attempts(answers)
        for held in holding.files:
            with self.budget.spending():
                self._sort_file(held, alone=alone and held in answers)

    def _sort_file(self, held: Held, *, alone: bool) -> None:
        claim, said = self._examine(held)
        meaning = self._meaning(held, said)
        if meaning == UNKNOWN and alone and len(self.rules.wanted) == 1:
            meaning = Meaning(assignment=min(self.rules.wanted))
        assignment = meaning.assignment
        self.sorted.append((held, assignment))
        if assignment and assignment not in self.rules.wanted:
            self.passed_over = True
        elif assignment:
            self.claims[assignment].append(
                msgspec.structs.replace(claim, assignment=assignment, evidence=meaning.evidence)
            )
        elif claim.refused:
            self.report(ProblemKind.UNREADABLE, claim.refused, claim.entry, hint=claim.hint)
        else:
            self.unmatched.append((claim, meaning))

    def _examine(self, held: Held) -> tuple[Claim, str | None]:
        """Return a claim without an assignment, and the assignment that the metadata names."""
        node = held.node
        if node.refused:
            return Claim(held=held, refused=node.refused, hint=node.hint), None
        try:
            content = self.reader.read(node.path, node.member, node.inner, name=node.name)
            require_readable_size(content, node.name)
        except IntakeError as error:
            return Claim(held=held, refused=error.message, hint=error.hint), None
        self.budget.bytes += len(content)
        said = self.readings.assignment(content, node.name)
        exported = is_script(node.name) and looks_exported(content)
        return Claim(held=held, digest=digest(content), exported=exported), said

    def _meaning(self, held: Held, said: str | None) -> Meaning:
        """Say what a file is for. `said` is the assignment that its metadata names."""
        name = own_name(held.node.name, held.node.origin)
        named = self.rules.matcher.read(stem(name)).assignments
        if said is not None:
            return self._metadata_meaning(held, said, named)
        if len(named) == 1:
            return Meaning(assignment=named[0], evidence=Evidence.NAME)
        for folder in held.folders:
            found = self.rules.matcher.read(folder).assignments
            if len(found) == 1 and (not named or found[0] in named):
                return Meaning(assignment=found[0], evidence=Evidence.FOLDER)
            named = named or found
        if named:
            return Meaning(
                kind=ProblemKind.AMBIGUOUS, message=f"it may be for {' or '.join(named)}"
            )
        return UNKNOWN

    def _metadata_meaning(self, held: Held, said: str, named: tuple[str, ...]) -> Meaning:
        meant = self.rules.known.get(said.strip().casefold())
        if meant is None:
            shown = shown_name(said, 60)
            return Meaning(message=f"its metadata says '{shown}', which is no assignment here")
        if len(named) == 1 and named[0] != meant:
            self.report(
                ProblemKind.MISMATCH,
                f"it is graded as {meant}, as its metadata says; its name says {named[0]}",
                held.node.entry,
                assignment=meant,
            )
        return Meaning(assignment=meant, evidence=Evidence.METADATA)

    def _naming(self) -> str:
        return f"name it after its assignment: {', '.join(sorted(self.rules.wanted))}"

    # ------------------------------------------------------------ choosing

    def choose(self) -> None:
        """Turn claims into submissions: one for an assignment, or a problem."""
        self._report_unmatched()
        for assignment in sorted(self.claims):
            claims = self.claims[assignment]
            attempts = in_order(claims)
            if not attempts:
                claims = self._rivals(assignment, claims)
                attempts = in_order(claims)
            if attempts:
                self._hand_in_all(attempts)
                continue
            if len(claims) > 1 and not self._equal(claims):
                names = ", ".join(claim.entry for claim in claims)
                self.report(
                    ProblemKind.DUPLICATE,
                    f"{len(claims)} different files for one assignment: none is graded",
                    names,
                    hint="keep the one that counts; if they are different students', "
                    "grade their folder itself",
                    assignment=assignment,
                )
                continue
            claim = claims[0]
            if claim.refused:
                self.report(
                    ProblemKind.UNREADABLE,
                    claim.refused,
                    claim.entry,
                    hint=claim.hint,
                    assignment=assignment,
                )
                continue
            if len(claims) > 1:
                self.report(
                    ProblemKind.DUPLICATE,
                    f"{len(claims)} equal files for one assignment: the first is graded",
                    ", ".join(claim.entry for claim in claims),
                    assignment=assignment,
                )
            self._hand_in(claim)

    def _report_unmatched(self) -> None:
        """Report files that are for nothing. Beside an answer, a script is a helper."""
        answered = any(not claim.is_script for claims in self.claims.values() for claim in claims)
        beside = [c for c, _ in self.unmatched if c.held in self.aside and self.claims]
        if beside:
            self._pass_over(beside, "tests and parts of a package are no answers")
        for claim, meaning in self.unmatched:
            if claim in beside:
                continue
            hint = self._naming()
            if claim.is_script and answered and meaning == UNKNOWN:
                hint = "only the notebook is graded: what it needs of this belongs into its cells"
            self.report(meaning.kind, meaning.message, claim.entry, hint=hint)

    def _rivals(self, assignment: str, claims: list[Claim]) -> list[Claim]:
        """Return the claims that compete. What yields is reported."""
        rules = self.rules
        rivals = choose_rivals(claims, self.student, rules.matcher, self.aside, rules.handed_out)
        yielding = [claim for claim in claims if claim not in rivals]
        if yielding:
            them = "they are" if len(yielding) > 1 else "it is"
            message = f"{them} not taken for {assignment}, for which another file is there"
            self._pass_over(yielding, message, assignment)
        return rivals

    def _pass_over(
        self, claims: Sequence[Claim], message: str, assignment: str | None = None
    ) -> None:
        """Report files in one line, however many they are."""
        entries = ", ".join(one.entry for one in claims)
        self.report(ProblemKind.UNMATCHED, message, entries, assignment=assignment)

    @staticmethod
    def _equal(claims: list[Claim]) -> bool:
        first = claims[0]
        return bool(first.digest) and all(
            claim.digest == first.digest and claim.is_script == first.is_script for claim in claims
        )

    def _hand_in_all(self, attempts: list[Claim]) -> None:
        for number, claim in enumerate(attempts, start=1):
            if claim.refused:
                self.report(
                    ProblemKind.UNREADABLE,
                    f"attempt {number} of {len(attempts)} is left out: {claim.refused}",
                    claim.entry,
                    hint=claim.hint,
                    assignment=claim.assignment,
                )
            else:
                self._hand_in(claim, number)

    def _hand_in(self, claim: Claim, number: int = 1) -> None:
        node = claim.held.node
        base = stem(node.name)
        origin = origin_of(claim.held, self.reader)
        self.submissions.append(
            Submission(
                student=self.student,
                assignment=claim.assignment,
                path=node.path,
                name=clean_name(base) + node.name[len(base) :],
                digest=claim.digest,
                member=node.member,
                inner=node.inner,
                submitted_at=origin.submitted_at,
                time_from=origin.time_from,
                late=origin.late,
                attempt=number,
            )
        )


def origin_of(held: Held, reader: Reader) -> Origin:
    """Return what is known of where a file comes from, with what nbgrader noted beside it."""
    if held.stamp is None or held.node.origin.submitted_at:
        return held.node.origin
    try:
        stamp = read_stamp(reader.read(held.stamp.path, held.stamp.member))
    except IntakeError:
        return held.node.origin
    return stamp or held.node.origin
