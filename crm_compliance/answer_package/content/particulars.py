"""The particulars of art. 15(1) and (2), context by context, and what is said of the package as a whole
(table 7.1)."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Final

from crm_compliance.answer_package.content.answer import Block, Bullets, Fact, Facts, Paragraph, Section
from crm_compliance.answer_package.content.view import Shown
from crm_compliance.answer_package.content.wording import Texts
from jobs.model.answer import Compilation, Context, ProcessedBy, Recipient, Retention
from rules.model.languages import USUAL

# What an answer says was searched, in its order, each with the codes of what keeps it from being said.
SEARCHED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "contact": (),
        "dossier": (),
        "fiche": (),
        "party": (),
        "note": ("kind:note",),
        "call": ("kind:call",),
        "email": ("kind:email",),
        "activity_party": ("kind:activity_party",),
        "recording": ("kind:recording",),
        "transcript": ("kind:recording", "column:recording.transcript"),
        "donation": ("kind:donation",),
        "enrolment": ("kind:enrolment",),
        "engagement": ("kind:engagement",),
        "own": (),
        "preferences": (),
        "request": (),
        "deleted": ("bin",),
    }
)


def context_section(number: int, context: Context, texts: Texts) -> Section:
    """Return everything that the law requires to be stated about one context."""
    label = context.category_labels.get(texts.language) or context.category_labels.get(USUAL, "")
    roles = context.roles or (context.role,)
    facts = [
        Fact(texts.say("access", "roles" if len(roles) > 1 else "role"), _words(texts, "role", roles)),
        Fact(texts.say("access", "category"), (label,) if label else ()),
        Fact(texts.say("access", "purposes"), _words(texts, "purpose", context.purposes)),
        Fact(texts.say("access", "basis"), basis_lines(context, texts)),
        Fact(
            texts.say("access", "data"),
            _words(texts, "data_category", (*context.data_categories, *(["sensitive"] if context.special else []))),
        ),
        Fact(texts.say("access", "recipients"), recipient_lines(context.recipients, texts)),
        Fact(texts.say("access", "processors"), processor_lines(context.processors, texts)),
        Fact(texts.say("access", "retention"), retention_lines(context, texts)),
        Fact(texts.say("access", "source"), _words(texts, "source", context.sources)),
        Fact(texts.say("access", "rights"), _words(texts, "right", context.rights)),
    ]
    title = texts.say("access", "context", number=str(number), kind=texts.code("kind", context.kind))
    return Section(title, (Facts(tuple(fact for fact in facts if fact.lines)),), level=3)


def _words(texts: Texts, table: str, codes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts.code(table, code) for code in codes if code))


def basis_lines(context: Context, texts: Texts) -> tuple[str, ...]:
    """Return the legal basis, purpose by purpose where they differ, and that of Article 9 where there are
    special categories of data."""
    if not context.grounds:
        return (basis_in(context, texts),) if context.basis else ()
    lines = []
    for ground in context.grounds:
        basis = _in(texts, ground.labels) or texts.code("basis", ground.code)
        purposes = ", ".join(texts.code("purpose", code) for code in ground.purposes)
        lines.append(basis if len(context.grounds) == 1 else texts.say("access", "ground", basis=basis, purposes=purposes))
    special = dict.fromkeys(_in(texts, ground.special) for ground in context.grounds if ground.special)
    return (*lines, *(texts.say("access", "special_ground", basis=basis) for basis in special))


def basis_in(context: Context, texts: Texts) -> str:
    """Return the legal basis: a code in words, or the retention schedule's text, in the language of the
    answer where it has one."""
    if texts.knows("basis", context.basis):
        return texts.code("basis", context.basis)
    return context.basis_labels.get(texts.language) or context.basis


def _in(texts: Texts, labels: Mapping[str, str]) -> str:
    return labels.get(texts.language, "")


def processor_lines(processors: Sequence[ProcessedBy], texts: Texts) -> tuple[str, ...]:
    """Return who processes data for the organisation, by any name of the schedule, and how (art. 28)."""
    told = []
    for each in processors:
        line = texts.say("access", "processor", name=each.name, task=_in(texts, each.tasks)) if each.name else _in(texts, each.tasks)
        if each.country:
            safeguard = _in(texts, each.safeguards)
            line = texts.say("access", "safeguard", name=line, country=texts.country(each.country), safeguard=safeguard)
        told.append(line)
    return tuple(told)


def recipient_lines(recipients: tuple[Recipient, ...], texts: Texts) -> tuple[str, ...]:
    """Return who received data: by name where it is logged, by category only where it is not (R-120), with
    the safeguard (art. 15(2)). Where nobody is named, the sentence is true of none and of withheld ones
    alike: neither denied nor revealed (7.1(c))."""
    named = []
    for each in recipients:
        if each.is_category:
            continue
        name = f"{each.name} ({texts.value(each.on)})" if each.on else each.name  # the day is that of passing on, not of the safeguard
        named.append(
            texts.say("access", "safeguard", name=name, country=texts.country(each.country), safeguard=each.safeguard)
            if each.safeguard
            else name
        )
    categories = [texts.code("recipient_category", each.name) for each in recipients if each.is_category]
    if categories:
        named.append(texts.say("access", "recipient_categories", names=", ".join(dict.fromkeys(categories))))
    return tuple(dict.fromkeys(named)) or (texts.say("access", "no_recipients"),)


def retention_lines(context: Context, texts: Texts) -> tuple[str, ...]:
    """Return the retention: a last day that is still to come, or a criterion; that something is held, never
    why (table 7.1, (d)). Where only the request keeps something beyond its term, that is stated. An age is
    stated with the same words whether it has come or not: anybody other than the child must not learn when it
    was born."""
    retention, lines = context.retention, []
    grace = "_grace" if retention.grace_days else ""
    days = str(retention.grace_days)
    if retention.is_held:
        lines.append(texts.say("access", "held"))
    elif retention.last_day is not None and retention.is_over:
        lines.append(texts.say("access", f"over{grace}", day=texts.day(retention.last_day), days=days))
    elif retention.last_day is not None:
        lines.append(texts.say("access", "until", day=texts.day(retention.last_day)))
    if retention.criterion:
        months, kept = retention.months, days
        if not months:  # what every such answer said before the schedule's own terms were kept with it
            months, kept = 6 if retention.criterion == "six_months_after_contact" else 60, "30"
        period = texts.period(months)
        lines.append(texts.say("criterion", retention.criterion, age=str(retention.age or ""), period=period, days=kept))
    if retention.criterion == "until_age" and not retention.is_held:
        lines.append(texts.say("access", f"request_keeps{grace}", days=days))
    return tuple(lines)


def told_last_day(retention: Retention) -> date | None:
    """Return the last day where it is stated as the term: not of what is held, nor once it has passed."""
    return None if retention.is_held or retention.is_over else retention.last_day


def inside(compilation: Compilation, shown: Shown, texts: Texts) -> Section:
    """Return what is in the package, file by file, and that a recording may be listened to (EXP-08)."""
    files = [texts.say("access", "inside_letter"), texts.say("access", "inside_page"), texts.say("access", "inside_data")]
    if compilation.right == "portability":
        files.append(texts.say("access", "inside_csv"))
    attached = sum(item.attachment is not None for item in shown.items)
    if attached:
        files.append(texts.say("access", "inside_attachments", count=str(attached)))
    files.append(texts.say("access", "inside_manifest"))
    blocks: list[Block] = [Bullets(tuple(files))]
    if compilation.right == "access":
        blocks.append(Paragraph(texts.say("access", "redacted")))
    if compilation.offers_listening:
        blocks.append(Paragraph(texts.say("access", "listening")))
    return Section(texts.say("access", "inside"), tuple(blocks))


def searched(compilation: Compilation, texts: Texts) -> Section:
    """Return where was searched, and where not: backups at least (EXP-03)."""
    codes = compilation.not_searched
    own = [name for key, name in compilation.words.items() if key.startswith("searched.")]
    kinds: list[str] = []
    for kind, lacking in SEARCHED.items():
        if not set(lacking).intersection(codes):
            kinds += own if kind == "own" else [texts.code("searched", kind)]
    looked = texts.say("access", "searched_text", kinds=", ".join(kinds))
    told = texts.say("access", "not_searched", places=texts.joined(_places(codes, compilation.words, texts)))
    return Section(texts.say("access", "searched"), (Paragraph(looked), Paragraph(told)))


def _places(codes: Sequence[str], words: Mapping[str, str], texts: Texts) -> Iterator[str]:
    """Yield places in words, backups always; then the kinds of rows, the fields and the tables that the
    mapping does not name (EXP-03), these by the CRM's names."""
    known = [code if texts.knows("place", code) else "other" for code in ("backups", *codes) if ":" not in code]
    yield from (texts.code("place", code) for code in dict.fromkeys(known))
    named = {of: [code.partition(":")[2] for code in codes if code.startswith(f"{of}:")] for of in ("kind", "column", "table")}
    yield from dict.fromkeys(texts.code("searched", kind) for kind in named["kind"] if texts.knows("searched", kind))
    of_columns = dict.fromkeys(column.partition(".")[0] for column in named["column"])
    own = {kind: words.get(f"searched.{kind}", "") for kind in of_columns}
    partly = [own[kind] or texts.code("searched", kind) for kind in of_columns if own[kind] or texts.knows("searched", kind)]
    if partly:
        yield texts.say("access", "searched_in_part", kinds=", ".join(partly))
    if named["table"]:
        yield texts.say("access", "not_mapped", tables=", ".join(words.get(f"table:{name}", name) for name in named["table"]))
