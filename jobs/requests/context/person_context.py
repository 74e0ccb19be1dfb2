"""Why somebody's own row is kept: it is needed for the files and relations that the person is in, and for
nothing else. So its roles, purposes, sources and rights are theirs, and it is kept while any of them needs it
(RET-20). Of a row that nothing needs that is said. Source: section 7.1; RET-20."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeVar

from jobs.model.answer import Context, DataCategory, Ground
from jobs.requests.context.data_and_sources import data_of
from jobs.requests.context.terms import Terms
from jobs.requests.context.transmissions import PROCESSOR
from jobs.requests.search.contact_details import CHANNELS
from jobs.requests.search.scope import Row
from rules.model.kinds import depends, kind_of
from rules.model.personal_records import FullContact
from rules.model.requests import Right
from rules.rights.fields import needed_by

Code = TypeVar("Code", bound=str)

_DATA: Final[Mapping[DataCategory, tuple[str, ...]]] = MappingProxyType(
    {
        "identification": ("first_name", "last_name"),
        "contact_details": CHANNELS,
        "national_number": ("national_number",),
        "birth": ("birth_on", "birth_year", "birth_month", "stated_age", "birth_place"),
        "sex": ("gender",),
        "preferences": ("language", "newsletter", "no_bulk_email"),
    }
)
_RIGHTS: Final = (Right.ACCESS.value, Right.RECTIFICATION.value, Right.ERASURE.value, Right.RESTRICTION.value)


def person_context(rows: Sequence[Row], others: Sequence[Context], *, is_whole: bool, terms: Terms) -> list[Context]:
    """Return the context of a person's own row and of what is in no file; none where there is no such row.
    `others` are the contexts that need it. `is_whole`: more of the row may be disclosed than relations
    need."""
    kinds = {each.kind for each in others}
    if not any(row.unit is None and row.kind not in kinds for row in rows):
        return []
    contacts = [row.record for row in rows if isinstance(row.record, FullContact)]
    needed = needed_by({row.kind for row in rows})
    told = tuple(
        code
        for code, names in _DATA.items()
        if any(getattr(each, name) for each in contacts for name in names if is_whole or name in needed)
    )
    loose = data_of([row for row in rows if row.unit is None and depends(row.kind)], is_whole=False)
    described = [row for row in rows if row.kind == "contact" and is_whole and row.has_texts and not row.is_limited]
    if any(getattr(row.record, name) for row in described for name in kind_of(row.kind, row.record).texts):
        loose = tuple(dict.fromkeys(("facts", *loose)))
    roles = _each(role for each in others for role in each.roles) or ("no_role",)
    purposes = _each(purpose for each in others for purpose in each.purposes) or ("contact",)
    return [
        Context(
            key="",
            kind="contact",
            role=roles[0],
            roles=roles,
            category_labels={},
            purposes=purposes,
            basis="of_the_others" if others else "not_decided",
            grounds=_grounds(others),
            data_categories=(*told, *loose),
            recipients=(PROCESSOR,),
            retention=terms.as_long_as("needed" if others else "nothing_needs_them"),
            sources=_each(source for each in others for source in each.sources) or ("not_recorded",),
            rights=_each((*_RIGHTS, *(right.value for right in Right if any(right.value in each.rights for each in others)))),
            source=("contact", ""),
        )
    ]


def _grounds(others: Iterable[Context]) -> tuple[Ground, ...]:
    """Return the grounds of the others, each once. Special categories are in files, not on the row."""
    found: dict[tuple[str, tuple[tuple[str, str], ...]], Ground] = {}
    for each in (ground for context in others for ground in context.grounds):
        known = (each.code, tuple(sorted(each.labels.items())))
        before = found[known].purposes if known in found else ()
        found[known] = Ground(_each((*before, *each.purposes)), each.code, each.labels)
    return tuple(found.values())


def _each(values: Iterable[Code]) -> tuple[Code, ...]:
    return tuple(dict.fromkeys(values))
