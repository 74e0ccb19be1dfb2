"""The pages that follow from the models: `docs/policy.md` and the JSON schema. The tests hold the stored
files against these functions, so a key cannot change without its description."""

import json
from collections.abc import Iterator
from typing import Any, Final

from pydantic.fields import FieldInfo

from rules.anonymisation.techniques import TECHNIQUES
from rules.files.json_schema import described_schema, descriptions
from rules.files.model import Model
from rules.policy.categories import (
    ANCHORS_OF_UNIT,
    OUTCOMES,
    Anchor,
    CategoryBase,
    Derivation,
    EndOfCalendarYearAfter,
    Labels,
    MonthsAfter,
    NoTerm,
    UntilAge,
    UntilEvent,
    YearsAfter,
)
from rules.policy.limits import Approvals, Canary, CategoryLimit, Limit, Limits, Quarantine, QueueWatch, Watch
from rules.policy.policy import Anonymise, Backups, Defaults, OwnData, People, Policy, PolicyFile, Statistics
from rules.policy.rows import describe

SCHEMA_ID: Final = "retention-schedule/1"
TYPES: Final[dict[str, type[CategoryBase]]] = {
    "months_after": MonthsAfter,
    "years_after": YearsAfter,
    "until_age": UntilAge,
    "end_of_calendar_year_after": EndOfCalendarYearAfter,
    "until_event": UntilEvent,
    "no_term": NoTerm,
}
PARTS: Final[tuple[tuple[str, type[Model]], ...]] = (
    ("defaults", Defaults),
    ("limits", Limits),
    ("limits.units, limits.recordings", Limit),
    ("limits.categories.KEY", CategoryLimit),
    ("approvals", Approvals),
    ("watch", Watch),
    ("watch.queue", QueueWatch),
    ("a line of canaries", Canary),
    ("quarantine", Quarantine),
    ("statistics", Statistics),
    ("anonymise", Anonymise),
    ("contacts", People),
    ("backups", Backups),
    ("own_data", OwnData),
    ("a line of derive", Derivation),
    ("labels", Labels),
)


def policy_schema() -> str:
    """Return the published JSON schema of a schedule file, as text. It covers the form; `policy check` also
    checks what must fit together."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **described_schema(PolicyFile),
        "title": f"Retention schedule ({SCHEMA_ID})",
    }
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"


def policy_page(shipped: Policy) -> str:
    """Return the text of `docs/policy.md`."""
    return "\n".join(_page(shipped)) + "\n"


def _page(shipped: Policy) -> Iterator[str]:
    yield from (_INTRODUCTION, *table(PolicyFile))
    for title, model in PARTS:
        yield from ("", f"### {title}", "", sentence(model), "", *table(model))
    yield from ("", "## Rows", "", sentence(CategoryBase), "", *table(CategoryBase))
    own = set(CategoryBase.model_fields) | {"type"}
    for name, kind in TYPES.items():
        yield from ("", f"### type: {name}", "", sentence(kind), "", *table(kind, without=own))
    yield from ("", "## Anchors", "", "| unit | anchors |", "|---|---|")
    for unit, anchors in ANCHORS_OF_UNIT.items():
        yield f"| {unit} | {', '.join(f'`{anchor}`' for anchor in anchors)} |"
    yield _DERIVE.format(outcomes=", ".join(f"`{outcome}`" for outcome in OUTCOMES))
    yield from ("", "## The shipped schedule", "", f"Version {shipped.version}, in force from {shipped.valid_from.isoformat()}.", "")
    yield from ("| category | in words | period | from | then | rule | source |", "|---|---|---|---|---|---|---|")
    rows = describe(shipped)
    for row in rows:
        if row.enabled:
            yield f"| `{row.key}` | {row.label} | {row.period} | {row.anchor or '–'} | {row.disposition} | {row.rule} | {row.source} |"
    yield from (
        "",
        "Not enabled, since the privacy policy gives no term:",
        "",
        "| category | in words | unit | suggestion |",
        "|---|---|---|---|",
    )
    yield from (f"| `{row.key}` | {row.label} | {row.unit} | {row.suggestion} |" for row in rows if not row.enabled)
    yield from ("", "## Masking", "", _MASKING, "")
    yield from ("| technique | what it does | fits columns of type |", "|---|---|---|")
    for technique in TECHNIQUES.values():
        yield f"| `{technique.name}` | {technique.purpose} | {', '.join(sorted(technique.fits)) or 'rows, not columns'} |"


_INTRODUCTION: Final = """\
# The retention schedule

This page comes from `policy.py`, `limits.py` and `categories.py` of `rules/policy/`; when it is out of date, a test
fails and says how to make it again.

A schedule is one YAML file. It says how long personal data are kept, counted from when, and what happens then. The product comes
with one published schedule; `policy show --output FILE` writes it, and the setting `POLICY` names another file, or a folder
with one file a version: in force is the one with the latest `valid_from` up to the day. `policy diff OLD NEW` says in words what changed
between two versions, `policy simulate NEW` what it would do to the units that are there. A JSON schema for editors lies in
`rules/policy/schedules/schema.json`.

Who the organisation is, and what it says of its processing, stands in [the organisation file](organisation.md). The keys `controller`,
`dpo`, `helpline`, `purposes` and `processors` are of the time before it, and have the form that they have there.

- The retention end is the last day kept, in the zone `timezone`. Disposal begins the day after.
- The longest period of a unit's categories wins. Doubt keeps, and reports.
- A row with `enabled: false` decides nothing: its units are kept and reported as `UNCONFIGURED`.

## What is refused

`policy check FILE` tells every error with its line and its field, and exits with 3. Refused are, among others:

- a key that is not known, stands twice or is missing; a tab; an empty value; an alias;
- a value of another kind, such as `"6"` in quotes for a number;
- fewer than two approvers, one person twice, or an approver who is also `proposed_by`;
- a line of `derive` that leads to no category; an outcome without a line, or with two;
- an enabled row for dossiers that nothing leads to although `derive` has a list of that name; where the settings name a mapping, by
  `policy check`, also one that no category of it goes by;
- an anchor that the unit does not have;
- `retain` on a row with a term, or `delete` on one without;
- a schedule without an enabled row, or without the row `recording`;
- an enabled row whose basis or source is still to be decided; a row whose own approvers are fewer than two, or are `proposed_by`;
- `bypass` on a row without a term, or on one for contacts: these go by `contacts.bypass`;
- an enabled row for every gift, course or agreement while another row for the same unit is off;
- an enabled row for contacts that counts from anything but the last gift.

## The file
"""

_MASKING: Final = """\
What a mapping may ask for when a row is anonymised in place (section 5.3). `pseudonyms` may make the key of `hmac` last;
`delete_child_rows` is not asked for: it is done with every such row."""

_DERIVE: Final = """
`last_activity` is the latest communication of a unit, or its re-opening (RET-07).

## Outside the missions

Gifts, courses and agreements are units once a row for them is enabled; until then they only tie their contact. Each goes by the enabled
rows of its unit, those with `kinds` for these kinds alone, and the longest wins; one that no enabled row is for is kept as `UNCONFIGURED`.
What is disposed of is deleted, and its contact goes with its last unit and relation (RET-20).

A row for `contact` decides over no contact. With the anchor `booked_on` it says how long being a donor lasts after the last gift: from
then on a gift ties nobody, and where the payment itself is kept longer, only its link to the donor is emptied (R-104). With `no_term` it
says that consent to the newsletter ties a contact until it is withdrawn, which holds without the row as well. The end of a partnership is
recorded nowhere in the CRM, so `partner_contact` cannot be enabled.

## Outcomes

The outcomes are {outcomes} and the empty one, written `outcomes: []`. Each list of `derive` says for every one of them which row
decides; a line without `outcomes` is for all. A category of the CRM without a list goes by the row of the same key. Which
categories there are is said by [the mapping](mapping.md): `mapping check` and `doctor` warn of a row in force
that no line of `derive` leads to and that has the name of none of them.

```yaml
derive:
  third_party_abduction:
    - key: missing_third_party_returned
      outcomes: [returned]
    - key: missing_third_party_not_returned
      outcomes: [located, not_located, not_returned, found_deceased]
    - key: missing_third_party_not_returned
      outcomes: []
      flag: OUTCOME_MISSING
```"""


def sentence(model: type[Model]) -> str:
    """Return what a model is, in one line."""
    return " ".join((model.__doc__ or "").split())


def table(model: type[Model], without: set[str] | None = None) -> list[str]:
    """Return the keys of a model as lines of a table: kind of value, default and meaning."""
    shown = {name: info for name, info in model.model_fields.items() if name not in (without or ())}
    if not shown:
        return ["No keys of its own."]
    schema, told = model.model_json_schema(by_alias=True), descriptions(model)
    rows = [
        _line(info.alias or name, info, told.get(name, ""), schema["properties"][info.alias or name], schema.get("$defs", {}))
        for name, info in shown.items()
    ]
    return ["| key | value | default | meaning |", "|---|---|---|---|", *rows]


def _line(key: str, info: FieldInfo, told: str, schema: dict[str, Any], defs: dict[str, Any]) -> str:
    default = "required" if info.is_required() else _default(info.get_default())
    return f"| `{key}` | {_kind(schema, defs)} | {default} | {' '.join((told or schema.get('description', '')).split())} |"


def _default(value: object) -> str:
    match value:
        case None | "":
            return "none"
        case tuple() | dict() if not value:
            return "none"
        case bool():
            return str(value).lower()
        case tuple():
            return ", ".join(map(str, value))
        case Model():
            return "see below"
        case _:
            return str(value)


def _kind(schema: dict[str, Any], defs: dict[str, Any]) -> str:
    """Return a value's kind in words, from its JSON schema."""
    if "$ref" in schema:
        return _kind(defs[schema["$ref"].rpartition("/")[2]], defs)
    if "const" in schema:
        return f"`{schema['const']}`"
    if schema.get("enum") == list(Anchor):
        return "an anchor"
    if "enum" in schema:
        return ", ".join(f"`{word}`" for word in schema["enum"])
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            kinds = [_kind(part, defs) for part in schema[choice] if part.get("type") != "null"]
            return " or ".join(kinds) if len(kinds) < 3 else "a mapping"
    match schema.get("type"):
        case "array":
            return f"a list of: {_kind(schema['items'], defs)}"
        case "object":
            return "a mapping"
        case "integer":
            least, most = schema.get("minimum"), schema.get("maximum")
            return "a number" if least is None else f"a number from {least} on" if most is None else f"a number from {least} to {most}"
        case "boolean":
            return "true or false"
        case _ if schema.get("format") == "date":
            return "a date"
        case _:
            return "text"
