"""`feedback/STUDENT/ASSIGNMENT.html`: what a student reads, as a page."""

from __future__ import annotations

from grader.reports.feedback import Feedback
from grader.reports.html.page import render


def feedback_page(feedback: Feedback) -> str:
    """Return one student's feedback on one assignment as a page of its own."""
    return render("feedback.html", feedback=feedback)
