"""From holdings to students: who hands in a repository has a login, and each student one holding.

Repositories of a class are called `ASSIGNMENT-LOGIN`. A folder of such a name is LOGIN's where
somebody in the roster has that login; without a roster its student is called as the folder is. What
follows the assignment is the login, letter by letter: `final-boss` is not `boss`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

import msgspec

from grader.intake.matching import Matcher, Repository
from grader.intake.owners import Held, Holding
from grader.names import identity

_BRANCH = re.compile(r"(?<=.)-(?:main|master)$")
"""What GitHub puts after the name of a repository that is downloaded as a zip."""


def call_by_login(
    holdings: Iterable[Holding], matcher: Matcher, enrolled: Collection[str] = ()
) -> list[Holding]:
    """Call everybody who handed in a repository by their login.

    Args:
        holdings: those of a class.
        matcher: finds assignments in names.
        enrolled: what people go by in the roster.
    """
    holdings = list(holdings)
    folders = {holding.folder for holding in holdings if holding.folder}
    logins = find_logins(folders, matcher, enrolled)
    return [
        _renamed(holding, logins[holding.folder]) if holding.folder in logins else holding
        for holding in holdings
    ]


def _renamed(holding: Holding, login: str) -> Holding:
    """The folder's name says for which assignment its files are, too."""
    files = tuple(
        held
        if holding.folder in held.folders
        else msgspec.structs.replace(held, folders=(*held.folders, holding.folder))
        for held in holding.files
    )
    return msgspec.structs.replace(holding, student=login, files=files)


def find_logins(
    folders: Collection[str], matcher: Matcher, enrolled: Collection[str] = ()
) -> dict[str, str]:
    """Return the logins of those folders that are repositories.

    Two folders for one assignment are never one student's: both keep their names.
    """
    known = {identity(one) for one in enrolled}
    readings = {
        name: matcher.repositories(name) for name in sorted(folders) if identity(name) not in known
    }
    readings = _without_branches(readings, known)
    chosen = {
        name: in_roster[0]
        for name, found in readings.items()
        if (in_roster := [one for one in found if identity(one.login) in known])
    }
    owners: dict[tuple[str, str], set[str]] = defaultdict(set)
    for name, one in chosen.items():
        owners[one.assignment, identity(one.login)].add(name)
    return {
        name: one.login
        for name, one in chosen.items()
        if len(owners[one.assignment, identity(one.login)]) == 1
    }


def _without_branches(
    readings: dict[str, list[Repository]], known: Collection[str]
) -> dict[str, list[Repository]]:
    """Take away the branch's name where all the folders of an assignment end with the same."""
    ends: dict[str, set[str]] = defaultdict(set)
    for found in readings.values():
        for one in found:
            branch = None if identity(one.login) in known else _BRANCH.search(one.login)
            ends[one.head].add(branch[0] if branch else "")

    def cut(one: Repository) -> Repository:
        end = next(iter(ends[one.head])) if len(ends[one.head]) == 1 else ""
        return msgspec.structs.replace(one, login=one.login.removesuffix(end))

    return {name: [cut(one) for one in found] for name, found in readings.items()}


def merge_holdings(parts: list[Holding]) -> Iterator[Holding]:
    """Yield one holding per student name, in order. A file that was found twice counts once."""
    by_name: dict[str, list[Holding]] = {}
    for holding in parts:
        by_name.setdefault(holding.student, []).append(holding)
    for name in sorted(by_name):
        group = by_name[name]
        files: dict[tuple[object, ...], Held] = {}
        for holding in group:
            for held in holding.files:
                node = held.node
                key = (node.path or node.entry, node.member, node.inner, node.origin)
                files.setdefault(key, held)
        yield Holding(
            student=name,
            entry=group[0].entry,
            files=tuple(
                sorted(files.values(), key=lambda held: held.node.entry)
                if len(group) > 1
                else files.values()
            ),
            faults=tuple(fault for holding in group for fault in holding.faults),
            others=tuple(other for holding in group for other in holding.others),
            platform=group[0].platform,
        )
