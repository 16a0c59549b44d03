"""`junit.xml`: a test suite for every student and assignment, for whatever reads JUnit reports.

The format is pytest's own (`xunit2`). Messages are those that a student may read: such files end up
on dashboards. What is ungraded is an error, so that no dashboard shows it green. Where there was no
wall, each suite has a property `isolation` that says so.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping

from grader.gradebook import CheckReport, Gradebook, Score, ScoredOutcome, State
from grader.model import Status
from grader.text import WITHOUT_ISOLATION, one_line, points, xml

ELEMENTS = {
    Status.FAILED: "failure",
    Status.ERROR: "error",
    Status.TIMEOUT: "error",
    Status.SKIPPED: "skipped",
}


def encode(gradebook: Gradebook) -> bytes:
    """Return the scores as JUnit XML; who handed nothing in is left out."""
    checks = {
        assignment.id: {check.id: check for q in assignment.questions for check in q.checks}
        for assignment in gradebook.assignments
    }
    root = ET.Element("testsuites", name=xml(one_line(gradebook.course)))
    for score in gradebook.scores:
        if score.state is not State.MISSING:
            suite = _suite(score, checks.get(score.assignment, {}), gradebook.run.started_at)
            if gradebook.isolation is not None and gradebook.isolation.off:
                suite.insert(0, _properties(isolation=f"off: {WITHOUT_ISOLATION}"))
            root.append(suite)
    ET.indent(root)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _suite(score: Score, checks: Mapping[str, CheckReport], started: str) -> ET.Element:
    name = xml(one_line(f"{score.student}/{score.assignment}"))
    cases = [_case(outcome, checks.get(outcome.check), name) for outcome in score.outcomes]
    if score.state is State.UNGRADED:
        cases = [ET.Element("testcase", classname=name, name="grading", time="0")]
        reason = xml(one_line(score.ending.message or score.ending.kind.value))
        ET.SubElement(cases[0], "error", message=f"not graded: {reason}")
    found = [child.tag for case in cases for child in case]
    suite = ET.Element(
        "testsuite",
        name=name,
        tests=str(len(cases)),
        failures=str(found.count("failure")),
        errors=str(found.count("error")),
        skipped=str(found.count("skipped")),
        time="0",
    )
    if started:
        suite.set("timestamp", started)
    suite.extend(cases)
    return suite


def _case(outcome: ScoredOutcome, check: CheckReport | None, suite: str) -> ET.Element:
    title = outcome.check if check is None else check.title
    case = ET.Element(
        "testcase",
        classname=f"{suite}/{xml(one_line(outcome.question))}",
        name=xml(one_line(title)),
        time="0",
    )
    worth = f"{points(outcome.earned)} of {points(outcome.possible)}"
    case.append(_properties(points=worth))
    if outcome.status is not Status.PASSED:
        message = xml(outcome.message) or outcome.status.value
        element = ET.SubElement(case, ELEMENTS[outcome.status], message=message.partition("\n")[0])
        element.text = message
    return case


def _properties(**values: str) -> ET.Element:
    found = ET.Element("properties")
    for name, value in values.items():
        ET.SubElement(found, "property", name=name, value=value)
    return found
