"""The files in dossiers of others whose texts mention the person: each is read once and searched for what
the person would be called, as texts are (EXP-03, EXP-04).

Nobody's files are opened because somebody asks for an answer: only those beside a row that already mentions
the person, by more than a part of a name, and no more of them than `MOST_FILES`, in no more dossiers than
`MOST_DOSSIERS`: somebody who is called like many others is named in many. In a file in which the
person has a role that role decides what is told, of texts and files alike (EXP-05). To whom a file is closed,
who asks for a child and who is known for relations alone no mention is told, and nothing is opened for them
(SUS-04, SUS-05). Sound is not read. What was not read is counted (docs/search.md)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from jobs.files.file_texts import reading_of
from jobs.files.limits import MEBI
from jobs.ports.context import JobContext
from jobs.requests.search.assess import Assessment
from jobs.requests.search.case_files import Filing
from jobs.requests.search.documents import content_of, is_outside
from jobs.requests.search.material import Material, Mention
from jobs.requests.search.mentions import EVIDENCE, NAME_PART, Sought
from jobs.requests.search.scope import MENTION, Scope
from jobs.requests.search.search import inside_of
from rules.model.media_types import is_seen_or_heard
from rules.rights.facts import UnitKey

MOST_FILES: Final = 200
MOST_DOSSIERS: Final = 100
MOST_BYTES: Final = 256 * MEBI  # of all of them
MOST_PASSAGES: Final = 20  # of one file; a person looks at each
_BEGINNING: Final = 360  # characters of what is shown where no passage is one
# A sentence or a line; else as many words of one, or signs of a word, as a passage may have.
_SENTENCES: Final = re.compile(r"(\S.{0,179}?(?:[.!?](?=\s|$)|\n|$)|\S.{0,179}(?<=\s)|\S{180})", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Searched:
    """How many files of others were read to their end, and how many were not: sound, what no program reads,
    and what is beyond the bounds. `dossiers_left_out` mention the person too, and nothing of theirs was
    looked at."""

    read: int = 0
    not_read: int = 0
    dossiers_left_out: int = 0


def search_files_of_others(context: JobContext, found: Assessment, scope: Scope) -> tuple[Assessment, Scope, Searched]:
    """Return what was found and the scope of the answer, with the files of others that mention the person
    among the mentions. Raises ConnectorError, ObjectError: a file cannot be fetched whole."""
    speaking = _speaking(found, scope)
    if not speaking:
        return found, scope, Searched()
    beside = inside_of(context, speaking[:MOST_DOSSIERS])
    mentions, searched = _mentions(context, beside, Sought(found.subject_contacts, found.home))
    searched = replace(searched, dossiers_left_out=len(speaking[MOST_DOSSIERS:]))
    if not mentions:
        return found, scope, searched
    material = found.material
    for kind in material.kinds:  # also what leads from a file to its dossier, and whoever else is known there
        for row, record in beside.rows(kind).items():
            material.rows(kind).setdefault(row, record)
    material.mentions += mentions
    found = replace(found, filing=Filing(material))
    return found, Scope(found), searched


def _speaking(found: Assessment, scope: Scope) -> list[UnitKey]:
    """Return the dossiers and lone fiches of others in which a row mentions the person, those with the
    strongest evidence first."""
    strength: dict[UnitKey, int] = {}
    for row in scope.rows:
        if row.place == MENTION and row.evidence != NAME_PART:
            for unit in found.filing.units(row.kind, row.id):
                strength[unit] = min(strength.get(unit, len(EVIDENCE)), Sought.strength(row.evidence))
    return sorted(strength, key=lambda unit: (strength[unit], unit))


def _mentions(context: JobContext, beside: Material, sought: Sought) -> tuple[list[Mention], Searched]:
    found: list[Mention] = []
    asked = read = unread = size = 0
    for kind, row, name, media_type in _files(beside):
        if asked >= MOST_FILES or size >= MOST_BYTES or is_seen_or_heard(media_type):
            unread += 1
            continue
        asked += 1
        content = content_of(context, kind, row, name)
        if content is None:  # a row without a file; a notebook or a shortcut, into which nobody can look
            unread += is_outside(row)
            continue
        size += len(content.body)
        reading = reading_of(content.body, content.media_type or media_type)
        read, unread = read + (not reading.why), unread + bool(reading.why)
        people, said = _spoken(reading.texts, sought)
        if people:
            evidence = min(people.values(), key=Sought.strength)
            found.append(Mention(kind, row, name, evidence, tuple(sorted(people)), said))
    return found, Searched(read, unread)


def _files(beside: Material) -> Iterator[tuple[str, str, str, str]]:
    """Yield each file, by kind, id and field of its row, with what it is said to be."""
    for row in sorted(beside.notes):
        if beside.notes[row].is_document:
            yield "note", row, "body", beside.notes[row].media_type or ""
    for kind in beside.kinds.own:
        for row in sorted(beside.rows(kind.word)):
            for name in kind.contents:
                yield kind.word, row, name, ""


def _spoken(texts: tuple[str, ...], sought: Sought) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return who is mentioned in the texts of a file, each with the strongest evidence, and the passages."""
    people: dict[str, str] = {}
    said: list[str] = []
    for text in texts:
        for person, evidence in sought.found_in(text).items():
            people[person] = min(evidence, people.get(person, evidence), key=Sought.strength)
            said += _passages(text, sought)
    return people, tuple(dict.fromkeys(said))[:MOST_PASSAGES]


def _passages(text: str, sought: Sought) -> list[str]:
    """Return the sentences of a text that mention somebody; a name may stand across two. Its beginning where
    it stands across more."""
    parts = [match[1].strip() for match in _SENTENCES.finditer(text)]
    found = []
    skips = False
    for part, after in zip(parts, [*parts[1:], ""], strict=True):
        if skips:
            skips = False
        elif sought.found_in(part):
            found.append(part)
        elif after and not sought.found_in(after) and sought.found_in(both := f"{part} {after}"):
            found.append(both)
            skips = True
    return found or [text[:_BEGINNING]]
