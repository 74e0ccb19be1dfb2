"""Compiles the answer to a request. Everything is read again, and what may be disclosed becomes items that
people review. Source: section 7, section 6.3, EXP-02 to EXP-15; R-094 to R-100, R-106 to R-122, R-128;
contract 3.6."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from jobs.checks.whole_view import permitted
from jobs.files.file_texts import Checked
from jobs.model.answer import Addressee, Compilation, Item
from jobs.model.request import COMPILATION, DECISIONS, REVIEW_PAGE, GivenPerson, SubjectRequest
from jobs.ports.context import JobContext
from jobs.ports.store.store import Store
from jobs.register.decision import as_reviewed, reopened
from jobs.register.overrides import overrides_of
from jobs.register.request_steps import actor_of, authorised, save_transition
from jobs.requests.answer.attachments import Files
from jobs.requests.answer.completeness import accounts_for_all, candidates
from jobs.requests.answer.fields import Extent, Fields
from jobs.requests.answer.items import Items, numbered, with_decisions
from jobs.requests.answer.own_words import OwnWords, category_words, table_words, words_of
from jobs.requests.answer.release_blocks import blocks_of
from jobs.requests.answer.row_files import RowFiles
from jobs.requests.context.contexts import Contexts
from jobs.requests.context.earlier_requests import earlier_requests, request_context, request_item
from jobs.requests.decisions.propose import propose
from jobs.requests.redaction.people_in_texts import mentioned_people, texts_of_rows
from jobs.requests.redaction.redact import TextRedactor
from jobs.requests.search.assess import Assessment, assess, stated_birth
from jobs.requests.search.files_of_others import Searched, search_files_of_others
from jobs.requests.search.scope import Scope
from rules.dates.ages import has_reached
from rules.decoders import decoder_of
from rules.errors import Refused
from rules.hints import hint_to
from rules.model.requests import COPIES, Outcome, RequestState, Right, Step
from rules.redaction.leak_terms import LeakTerms
from rules.rights.authority import ADULT_AGE
from rules.rights.entitlement import MANDATE_LAPSED
from rules.rights.fields import needed_by

NEUTRAL = "neutral"


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer as it would be today, with what it was made from; only the answer is ever stored."""

    compilation: Compilation
    found: Assessment
    scope: Scope
    files_of_others: Searched = field(default_factory=Searched)


def compile_request(context: JobContext, request_id: str, who: str, role: str) -> Compilation:
    """Compile the answer and store it, sealed. What was decided on items that are still the same stands;
    approvals do not.

    Raises:
        Refused: with code `role`, `state`, `not_confirmed` or `erased`.
        ConnectorError: something could not be read whole; nothing is stored."""
    actor = actor_of(context, who, role)
    request = authorised(actor, request_id, Step.COMPILE)
    compilation = drafted(context, request).compilation
    before = compilation_of(context.store, request.id)
    if before is not None:
        compilation = msgspec.structs.replace(compilation, items=with_decisions(compilation.items, as_reviewed(before)))
    changes = {
        "state": RequestState.REVIEWING,
        "answer": compilation.answer,
        "scope": compilation.scope,
        "refusal": compilation.refusal,
        "outcome": Outcome.MANDATE_LAPSED if MANDATE_LAPSED in compilation.blocks else None,
        "approvals": overrides_of(request),
    }
    parts = {COMPILATION: msgspec.json.encode(compilation), DECISIONS: reopened(context.store, request.id), REVIEW_PAGE: None}
    save_transition(actor, request, changes, Step.COMPILE, {"answer": compilation.answer}, parts=parts)
    return compilation


def drafted(context: JobContext, request: SubjectRequest, *, with_files: bool = True) -> Draft:
    """Make the answer as of today, without storing it; without files where only its rows matter. Raises
    ConnectorError: something could not be read whole, or is out of sight by now, a suspicion perhaps."""
    draft = _drafted(context.on(context.today), request, with_files=with_files)
    permitted(context.connector, context.policy)
    return draft


def _drafted(context: JobContext, request: SubjectRequest, *, with_files: bool) -> Draft:
    found = assess(context, request)
    scope, searched = Scope(found), Searched()
    if request.right is Right.ACCESS:
        found, scope, searched = search_files_of_others(context, found, scope)
    blocks = blocks_of(context, found, scope)
    shell = Compilation(
        request=request.id,
        reference=request.reference,
        right=request.right.value,
        answer=found.entitlement.answer,
        scope=found.entitlement.scope,
        language=language_of(request, found, context.organisation.languages),
        generated_at=context.clock(),
        received_on=request.received_on,
        addressee=_addressee(context, found),
        about=_about(found),
        blocks=blocks,
        refusal=found.entitlement.refusal,
        home=found.home,
    )
    if found.entitlement.answer == NEUTRAL:  # the same for whoever is unknown, and in whatever way nothing may be told (SUS-04, SUS-07)
        return Draft(shell, found, scope)
    shell = msgspec.structs.replace(
        shell, not_searched=found.material.not_searched, remarks=found.entitlement.remarks, is_complete=scope.is_complete
    )
    if shell.refusal or MANDATE_LAPSED in shell.blocks:  # nothing of the child is proposed any more (RGT-07)
        return Draft(shell, found, scope)
    controller, dpo = context.organisation.controller, context.organisation.dpo
    files = Files(context) if with_files and request.right in COPIES else None
    texts = (*texts_of_rows(scope.rows), *(files.texts_of(scope.rows) if files is not None else ()))
    also = mentioned_people(context, found, texts) if files is not None else ()
    redactor = TextRedactor(found, shell.language, (controller.email, dpo.email), also, rows=scope.rows, texts=texts)
    contexts = Contexts(context, found, scope, redactor, portable=request.right is Right.PORTABILITY)
    shell = msgspec.structs.replace(shell, contexts=contexts.made)
    if request.right in COPIES:
        words = words_of(context.connector, {row.kind for row in scope.rows}, shell.language)
        items = _items(context, found, scope, contexts, redactor, shell.language, files, words)
        categories = category_words(context.policy, context.organisation, items, shell.language)
        tables = table_words(context.connector, shell.not_searched, shell.language)
        shell = msgspec.structs.replace(shell, words=words.told | categories | tables)
        is_complete = accounts_for_all(found, scope, items)
        if request.right is Right.ACCESS and (earlier := earlier_requests(context, found)):
            key = f"context-{len(contexts.made) + 1}"
            items = numbered([*items, *(request_item(one, key) for one in earlier)])
            shell = msgspec.structs.replace(shell, contexts=(*shell.contexts, request_context(key, context.policy.defaults)))
        shell = msgspec.structs.replace(shell, items=items, is_complete=is_complete)
    else:
        shell = propose(context, request, found.given, found.entitlement, found.material, shell)
    return Draft(msgspec.structs.replace(shell, leak_terms=redactor.leak_terms()), found, scope, searched)


def compilation_of(store: Store, request: str) -> Compilation | None:
    """Return the answer that was compiled last; None if there is none (any more)."""
    part = store.requests.part(request, COMPILATION)
    return decoder_of(Compilation).decode(part) if part is not None else None


def compiled(store: Store, request: SubjectRequest) -> Compilation:
    """Return the answer that was compiled. Raises Refused: with code `not_compiled`."""
    found = compilation_of(store, request.id)
    if found is None:
        raise Refused("nothing has been compiled yet", hint=hint_to("compile", request=request.id), where=request.id, code="not_compiled")
    return found


def language_of(request: SubjectRequest, found: Assessment, languages: Sequence[str]) -> str:
    """Return the language of the answer. It is that of the request, else the person's preferred one, else
    the usual one: the first of `languages`, in which the organisation writes (EXP-11, R-122). A neutral
    answer does not follow a preference that only the file can show (SUS-04)."""
    if request.language in languages:
        return request.language
    if found.entitlement.answer == NEUTRAL:
        return languages[0]
    contacts = [found.material.contacts[contact] for contact in sorted(found.people.requester) if contact in found.material.contacts]
    preferred = [contact.language for contact in contacts if contact.language in languages]
    return str(preferred[0]) if preferred else languages[0]


def _items(
    context: JobContext,
    found: Assessment,
    scope: Scope,
    contexts: Contexts,
    redactor: TextRedactor,
    language: str,
    files: Files | None,
    words: OwnWords,
) -> tuple[Item, ...]:
    leak_terms = LeakTerms(redactor.leak_terms())
    extent = Extent(
        whole_contact=found.entitlement.identity,
        needed=needed_by({row.kind for row in scope.rows}),
        only_provided=found.request.right is Right.PORTABILITY,
        wants_audio=found.given.details.audio,
    )
    country, numbers = context.policy.home.country, scope.numbers | scope.asker_numbers
    fields = Fields(redactor, language, numbers, country=country, extent=extent, askers=scope.askers, choice=words.choice)
    of_files = files if files is not None else Files(context)
    of_rows = RowFiles(
        extent,
        media_type=lambda kind, row, field: _media_type(kind, of_files.type_of(kind, row, field)),
        text_of=files.text_of if files is not None else lambda kind, row, field: None,
        checked=lambda attachment: files.checked(attachment, leak_terms) if files is not None else Checked(),
    )
    names = [name for contact in found.subject_contacts for name in (contact.last_name, contact.first_name) if name]
    maker = Items(redactor, fields, of_rows, calendar=context.policy.calendar, country=country, names=names)
    order = {made.key: number for number, made in enumerate(contexts.made)}
    made = []
    for row in candidates(found, scope):
        key = contexts.key_of(row)
        place = (order.get(key, -1), found.material.kinds.in_order.index(row.kind), not row.is_own, row.at)
        made += [(place, item) for item in maker.of(row, key)]
    return numbered([item for _, item in sorted(made, key=lambda pair: pair[0])])


def _media_type(kind: str, said: str | None) -> str | None:
    unknown = "image/jpeg" if kind == "contact" else "application/octet-stream"
    return None if said is None else said or unknown


def _addressee(context: JobContext, found: Assessment) -> Addressee:
    """Return the addressee of the letter, as they called themselves (EXP-10). Whether it is a minor is known
    from the day of birth that they gave; from what is kept, a year or a stated age included, only if the
    answer says that something is: in a neutral answer it would reveal that (SUS-04). Who may still be a minor
    is one here."""
    given = found.given.requester
    born_on = stated_birth(context, found.given, on_behalf=False) if not found.is_on_behalf else None
    if born_on is None and found.entitlement.answer != NEUTRAL and not found.is_on_behalf:
        born_on = found.born_by
    is_minor = born_on is not None and not has_reached(ADULT_AGE, born_on, found.day)
    return Addressee(_name(given), is_minor=is_minor, first_name=given.firstname.strip())


def _about(found: Assessment) -> str:
    """Return the data subject's name, as the asker gave it: the child only if the answer is theirs."""
    child = found.given.on_behalf_of
    return _name(child if found.is_on_behalf and child is not None else found.given.requester)


def _name(person: GivenPerson) -> str:
    return " ".join(part for part in (person.firstname.strip(), person.lastname.strip()) if part)
