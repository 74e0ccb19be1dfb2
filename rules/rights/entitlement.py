"""What may be disclosed to a person, dossier by dossier: the matrix of rights, and the people who are
suspected in one dossier. The decisions behind it, each with its reason, are in `docs/rights.md`. Who is told
nothing gets the neutral answer (RF-00). Source: policy §5; sections 6.1, 6.2 and 6.3 (RGT-01 to RGT-14,
SUS-01 to SUS-12), EXP-05."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import msgspec

from rules.dates.ages import has_reached
from rules.model.file_roles import PARENTS, FileRole
from rules.model.requests import RequesterKind, Right
from rules.rights.authority import Authority, authority
from rules.rights.facts import Asked, FileFacts, RoleInFile, UnitKey
from rules.rights.matrix import refusal_in_files
from rules.rights.suspicion import Involvement, excluded_for, involvement

PACKAGE: Final = "package"
NEUTRAL: Final = "neutral"
DPO_REVIEW: Final = "dpo_review"
OWN: Final = "own"
ON_BEHALF: Final = "on_behalf"
ON_BEHALF_LIMITED: Final = "on_behalf_limited"
MANDATE_LAPSED: Final = "MANDATE_LAPSED"

# Who demonstrably knows that the child is known here, so that RF-07 tells nothing new (6.4).
_KNOWS_OF_CHILD: Final = PARENTS | {FileRole.REPORTER}

# The rules of this part that two people may override, in words for those who do it. What is not here holds
# for everybody.
OVERRIDABLE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "RGT-05": "the child did not agree, is too young to ask alone, or has no known birth date: the answer still serves the child",
        "RGT-13": "the person is recorded as dead but was identified alive: the record is wrong",
        "SUS-05": "the role of the person in a file cannot be read from the CRM: it was looked up, and is not a suspicion",
        "SUS-06": "a file shares a child with one in which the requester is suspected: it tells nothing of the other",
        "SUS-08": "the suspicion in a file has ended: the file may be told",
        "SUS-11": "a parent suspected in a file of the child may act for the child in the other files",
    }
)


class Entitlement(msgspec.Struct, frozen=True, kw_only=True):
    """What may be disclosed, and how sure that is.

    `answer` is package, neutral or dpo_review; `scope` own, on_behalf or on_behalf_limited. `own` are the
    files from which the requester's own data may be disclosed, with the roles there that count; `for_child`
    those from which the child's may. `limited` are files under RGT-09. `whole` are the files in which the
    person the answer is about is the child: there everything about the child counts, elsewhere only own data
    and statements (EXP-05). `review` are files that the DPO has to look at before a release, each with the
    rule. `relations`: gifts, courses, agreements and newsletter may be disclosed, of the child where the
    scope is on behalf. `identity`: the whole contact row may be disclosed; without it, only what the
    relations need of it (name, address, numbers, preferences). `refusal` is an RF code where the right does
    not exist here, and then nothing is disclosed; `remarks` are RF codes that the letter adds to what is
    disclosed. `blocks` stop a release: `MANDATE_LAPSED`, which nobody overrides, or a rule of `OVERRIDABLE`.
    `excluded` never leaves the process that computed it."""

    answer: str
    scope: str
    own: Mapping[UnitKey, tuple[str, ...]] = {}
    for_child: tuple[UnitKey, ...] = ()
    limited: frozenset[UnitKey] = frozenset()
    whole: frozenset[UnitKey] = frozenset()
    review: tuple[tuple[UnitKey, str], ...] = ()
    relations: bool = False
    identity: bool = False
    refusal: str = ""
    remarks: tuple[str, ...] = ()
    blocks: tuple[str, ...] = ()
    excluded: frozenset[UnitKey] = frozenset()


class ItemScope(StrEnum):
    """How much of one file may be disclosed (EXP-05)."""

    NOTHING = "nothing"
    OWN = "own"  # identity, contacts and statements of the person whom it is about
    WHOLE = "whole"  # everything about the child


def entitlement(
    asked: Asked,
    roles: Sequence[RoleInFile],
    files: Mapping[UnitKey, FileFacts],
    *,
    maturity_age: int = 12,
    harmless: frozenset[str] = frozenset(),
) -> Entitlement:
    """Return what may be disclosed to the requester. Pure; `roles` are those of the requester, of the child,
    and of everybody in their files; `harmless` are the categories of which nothing may lead to the child
    (RGT-09). A fiche that is confirmed without a contact is passed as a role of a
    stand-in contact. For any reason, a neutral answer is the same but for `excluded` (SUS-04)."""
    if not asked.on_behalf:
        return _for_oneself(asked, roles, files, maturity_age)
    # A contact confirmed as both is the child's: else what is the child's would be told as the requester's
    # own.
    asked = msgspec.structs.replace(asked, requester=asked.requester - asked.child)
    return _for_a_child(asked, roles, files, maturity_age, harmless)


def item_scope(entitlement: Entitlement, unit: UnitKey) -> ItemScope:
    """Return how much of a file may be disclosed, once nothing prevents a release any more; `limited` takes
    away from it (RGT-09)."""
    if unit not in entitlement.own and unit not in entitlement.for_child:
        return ItemScope.NOTHING
    return ItemScope.WHOLE if unit in entitlement.whole else ItemScope.OWN


def _for_oneself(
    asked: Asked, roles: Sequence[RoleInFile], files: Mapping[UnitKey, FileFacts], maturity_age: int, remark: str = ""
) -> Entitlement:
    found = involvement(asked.requester, roles, files, asked.day, overrides=asked.overrides)
    blocks = []
    if asked.deceased:
        blocks.append("RGT-13")
    if _is_too_young(asked, found, maturity_age):
        blocks.append("RGT-05")
    return _completed(asked, _own(asked, found), blocks, remark)


def _is_too_young(asked: Asked, found: Involvement, maturity_age: int) -> bool:
    """Return whether a person who asks for himself or herself is not presumed able to (RGT-05), or may be too
    young. Of a child, the age has to be known."""
    born_by = asked.child_born_by or asked.child_born_on
    if born_by is not None and not has_reached(maturity_age, born_by, asked.received_on):
        return True
    return asked.child_born_on is None and bool(found.whole) and asked.kind is RequesterKind.CHILD


def _for_a_child(
    asked: Asked, roles: Sequence[RoleInFile], files: Mapping[UnitKey, FileFacts], maturity_age: int, harmless: frozenset[str]
) -> Entitlement:
    of_child = {role.unit for role in roles if role.contact in asked.child}
    of_child |= {unit for unit, file in files.items() if file.children & asked.child}
    closed = excluded_for(asked.requester, roles, asked.day)
    is_suspected = not closed.isdisjoint(of_child)
    if is_suspected and "SUS-11" not in asked.overrides:
        return Entitlement(answer=NEUTRAL, scope=OWN, excluded=closed)
    theirs = involvement(asked.child, roles, files, asked.day, heard=asked.requester, overrides=asked.overrides)
    can_be_told = bool(theirs.roles) or asked.child_has_relations
    # Who may not act for the child is told own data as anybody who asks for them (RGT-05, RGT-08, RGT-13).
    own = msgspec.structs.replace(
        asked, child_born_on=asked.requester_born_on, child_born_by=asked.requester_born_by, deceased=asked.requester_deceased
    )
    if asked.deceased or not can_be_told:  # a child of whom nothing may be told is like a child who is unknown
        return _for_oneself(own, roles, files, maturity_age)
    how = authority(asked, roles, theirs.whole, maturity_age=maturity_age)
    if how is Authority.LAPSED:
        return Entitlement(answer=PACKAGE, scope=ON_BEHALF, blocks=(MANDATE_LAPSED,), excluded=theirs.excluded)
    if how in {Authority.HELD, Authority.CHILD_DECIDES}:
        return _completed(asked, _on_behalf(asked, theirs, files, harmless), ["RGT-05"] if how is Authority.CHILD_DECIDES else [])
    mine = involvement(asked.requester, roles, files, asked.day, overrides=asked.overrides)
    knows = any(_KNOWS_OF_CHILD.intersection(mine.roles.get(unit, ())) for unit in theirs.whole - {unit for unit, _ in theirs.review})
    is_told = knows and not is_suspected and how is not Authority.CONTESTED
    return _for_oneself(own, roles, files, maturity_age, remark="RF-07" if is_told else "")


def _own(asked: Asked, found: Involvement) -> Entitlement:
    """Return what may be disclosed of the requester: own files, and relations. Relations alone never open the
    whole contact row, for anybody: were it opened for those who are suspected nowhere, its absence would show
    a suspicion (SUS-05)."""
    return Entitlement(
        answer=PACKAGE,
        scope=OWN,
        own=found.roles,
        whole=found.whole,
        review=found.review,
        relations=asked.has_relations,
        identity=bool(found.roles) or (bool(asked.requester) and not found.excluded and not asked.has_relations),
        excluded=found.excluded,
    )


def _on_behalf(asked: Asked, found: Involvement, files: Mapping[UnitKey, FileFacts], harmless: frozenset[str]) -> Entitlement:
    """Return what may be disclosed of the child to the person who acts for it; nothing of the requester, who
    did not ask for that."""
    limited = frozenset(unit for unit in found.roles if _is_limiting(files.get(unit), harmless))
    return Entitlement(
        answer=PACKAGE,
        scope=ON_BEHALF_LIMITED if limited else ON_BEHALF,
        for_child=tuple(found.roles),
        limited=limited,
        whole=found.whole,
        review=found.review,
        relations=asked.child_has_relations,
        identity=bool(found.roles),
        excluded=found.excluded,
    )


def _is_limiting(file: FileFacts | None, harmless: frozenset[str]) -> bool:
    """Return whether RGT-09 limits a file: one without a known category may be about anything."""
    return file is None or not file.categories or not harmless.issuperset(file.categories)


def _completed(asked: Asked, draft: Entitlement, blocks: Sequence[str], remark: str = "") -> Entitlement:
    """Apply what the right itself says, and say which answer that makes."""
    draft = _by_right(asked, draft)
    if not (draft.own or draft.for_child or draft.relations or draft.identity or draft.refusal):
        return Entitlement(answer=NEUTRAL, scope=OWN, excluded=draft.excluded)
    open_blocks = tuple(block for block in blocks if block not in asked.overrides)
    return msgspec.structs.replace(
        draft,
        answer=DPO_REVIEW if draft.review or open_blocks else PACKAGE,
        remarks=(*draft.remarks, remark) if remark else draft.remarks,
        blocks=open_blocks,
    )


def _by_right(asked: Asked, draft: Entitlement) -> Entitlement:
    """Leave out the files where the right does not reach them: portability, consent, and an objection to
    direct marketing."""
    refusal = refusal_in_files(asked.right, asked.about)
    is_marketing = asked.right is Right.OBJECTION and asked.about == "direct_marketing"
    if not refusal and not is_marketing:
        return draft
    is_in_files = draft.identity  # known for more than relations
    without = msgspec.structs.replace(
        draft, scope=OWN if draft.scope == OWN else ON_BEHALF, own={}, for_child=(), limited=frozenset(), whole=frozenset()
    )
    if is_marketing:
        return msgspec.structs.replace(without, review=())
    if draft.relations:
        is_sure = bool(draft.own or draft.for_child) and not draft.review
        return msgspec.structs.replace(without, review=(), remarks=(refusal,) if is_sure else ())
    return msgspec.structs.replace(without, identity=False, refusal=refusal if is_in_files else "")
