"""The sections `anonymise` of the mapping against the CRM's metadata. Can every column take its new value,
and was none forgotten?

A column that nobody named could hold personal data and would stay on a row that is called anonymous, so it is
an error (exit 3). Only checked where the policy anonymises in place. Source: sections 5.2 and 5.3, ERA-02,
ERA-06."""

from collections.abc import Iterator

from connectors.dynamics.mapping.mapping import MASKED_KINDS, Mapping, Table
from connectors.dynamics.mapping.masks import Masks
from connectors.dynamics.schema.checks.columns import COLUMN_TYPES
from connectors.dynamics.schema.checks.findings import error
from connectors.dynamics.schema.metadata import Attribute, Metadata, TableDefinition
from connectors.dynamics.schema.role_places import ACTIVITY_ID, RolePlace, place_of
from connectors.interface.errors import Finding
from rules.anonymisation.anonymity import Remnant
from rules.anonymisation.techniques import TECHNIQUES, ColumnType, check_technique
from rules.files.suggestions import asked, suggestion

# What the platform keeps on every row by itself; nobody can empty it, and state and owner have keys of their
# own (reference: section 2).
PLATFORM = frozenset(
    {
        *("createdon", "createdby", "createdonbehalfby", "modifiedon", "modifiedby", "modifiedonbehalfby", "overriddencreatedon"),
        *("ownerid", "owninguser", "owningteam", "owningbusinessunit", "statecode", "statuscode", "versionnumber"),
        *("importsequencenumber", "timezoneruleversionnumber", "utcconversiontimezonecode", "transactioncurrencyid", "exchangerate"),
        *("processid", "stageid", "traversedpath"),
    }
)
# The state of a case that no update sets (Microsoft Learn, "CloseIncident Action"), and the other one that
# takes it out of the views of active rows.
RESOLVED, CANCELLED = ("incident", 1), 2
REMNANTS = {
    ColumnType.STRING: Remnant.TEXT,
    ColumnType.MEMO: Remnant.TEXT,
    ColumnType.FILE: Remnant.FILE,
    ColumnType.IMAGE: Remnant.FILE,
    ColumnType.DATE: Remnant.IDENTIFIER,
}
_DATES = frozenset({ColumnType.DATE, ColumnType.DATETIME, ColumnType.DATETIME_TZI})
_DERIVED = frozenset({ColumnType.INT, ColumnType.DECIMAL, ColumnType.MONEY, ColumnType.BOOL, ColumnType.CHOICE, ColumnType.CHOICES})
_PEOPLE = frozenset({"contact"})
_OTHER_TYPES = {"BigIntType": ColumnType.INT, "DoubleType": ColumnType.DECIMAL, "CustomerType": ColumnType.LOOKUP}


def check_masks(mapping: Mapping, metadata: Metadata) -> list[Finding]:
    """List everything that keeps dossiers and fiches from being anonymised in place; warnings where what
    stays makes them pseudonymised."""
    findings = list(_check_links(mapping, metadata))
    for table in sorted(mapping.tables, key=lambda table: table.kind):
        definition = metadata.table(table.name) if table.kind in MASKED_KINDS else None
        if definition is None:
            continue  # no row of it is masked; one that is not there is told by `check_mapping`
        if table.masks is None:
            findings.append(error(f"The policy anonymises in place, and {table.kind} has no section anonymise.", table.where, "masking"))
            continue
        metadata.load_lengths(definition)
        findings += [
            *_check_named(table.masks, definition),
            *_check_kept(table, table.masks, definition, mapping),
            *_check_complete(table, table.masks, definition),
            *_check_state(table.masks, definition),
        ]
    return findings


def _check_links(mapping: Mapping, metadata: Metadata) -> Iterator[Finding]:
    """Yield errors for what would tie a masked row to people, to other files and to its categories: nothing
    that is masked takes pairs or participants away."""
    for table in mapping.tables:
        if (place := place_of(table, mapping, metadata)) in (RolePlace.PAIR, RolePlace.PARTICIPANT):
            told = f"Roles in {table.name} are {place}, and would stay with a dossier or fiche that is anonymised in place"
            yield error(f"{told}: let the policy anonymise by deleting.", table.where, "masking")
        if table.own is not None and table.links and not MASKED_KINDS.isdisjoint(table.own.above):
            told = f"The pairs in {table.links} would tie {table.kind} to a row that is anonymised in place, with which it never goes"
            yield error(f"{told}: let the policy anonymise by deleting.", table.lines["links"], "masking")
        if table.kind not in MASKED_KINDS:
            continue
        for field, column in table.pairs.items():
            ties = f"a {table.kind} to a dossier that is" if field == "dossier" else f"a {table.kind} to its {field} once it is"
            told = f"The pairs in {column.name} would tie {ties} anonymised in place"
            yield error(f"{told}: let the policy anonymise by deleting.", column.where, "masking")
        definition = metadata.table(table.name)
        if definition is not None and definition.primary_id == ACTIVITY_ID:
            told = f"{table.name} is an activity, and who takes part in it would stay, with address, on a row that is anonymised in place"
            yield error(f"{told}: let the policy anonymise by deleting.", table.where, "masking")


def remnants(masks: Masks, definition: TableDefinition, mapping: Mapping) -> frozenset[Remnant]:
    """List what stays on a masked row because the mapping keeps its column (ERA-02)."""
    return frozenset(
        remnant
        for name in masks.keeps
        if (attribute := definition.attributes.get(name)) is not None and (remnant := _remnant(attribute, mapping)) is not None
    )


def type_of(attribute: Attribute) -> str:
    """Return a column's type in the words of the masking techniques; Dataverse's own word for any other."""
    return COLUMN_TYPES.get(attribute.kind) or _OTHER_TYPES.get(attribute.kind) or attribute.kind


def _remnant(attribute: Attribute, mapping: Mapping) -> Remnant | None:
    kind = type_of(attribute)
    if kind == ColumnType.LOOKUP:
        people = _PEOPLE | {table.name for table in mapping.of("contact")}
        return Remnant.CONTACT if not attribute.targets or attribute.targets & people else None
    return Remnant.IDENTIFIER if kind in _DATES else REMNANTS.get(ColumnType(kind)) if kind in tuple(ColumnType) else Remnant.TEXT


def _check_named(masks: Masks, definition: TableDefinition) -> Iterator[Finding]:
    for column in masks.columns.values():
        attribute = definition.attributes.get(column.name)
        place = f"{definition.name}.{column.name}"
        if attribute is None:
            like = suggestion(column.name, definition.attributes)
            told = f"The table {definition.name} has no column {column.name} (anonymise){asked(like) or '.'}"
            yield error(told, column.where, "no_column", like)
            continue
        kind = type_of(attribute)
        if column.name in PLATFORM or column.name == definition.primary_id:
            yield error(f"{place} is the platform's own: no technique can overwrite it.", column.where, "masking")
        elif attribute.secured:
            yield error(f"{place} is secured: that it is empty could not be read back.", column.where, "masking")
        elif not attribute.updatable and kind != ColumnType.FILE and TECHNIQUES[column.technique].fits_required:
            yield error(f"{place} cannot be written; null says that it is empty once what it is made from is.", column.where, "masking")
        else:
            unique = any(column.name in key for key in definition.keys.values())
            problem = check_technique(column.technique, kind, max_length=attribute.max_length, required=attribute.required, unique=unique)
            if problem is not None:
                yield error(f"{place} cannot be masked: {problem}.", column.where, "masking")


def _check_kept(table: Table, masks: Masks, definition: TableDefinition, mapping: Mapping) -> Iterator[Finding]:
    categories = table.columns["categories"].name if "categories" in table.columns else ""
    for name, where in masks.keeps.items():
        attribute = definition.attributes.get(name)
        place = f"{definition.name}.{name}"
        if attribute is None:
            like = suggestion(name, definition.attributes)
            yield error(f"The table {definition.name} has no column {name} (keeps){asked(like) or '.'}", where, "no_column", like)
        elif attribute.required:
            yield error(f"{place} is required, so it cannot be emptied where too few people share it (ERA-08).", where, "masking")
        elif not attribute.updatable:
            yield error(f"{place} cannot be written, so it cannot be emptied where too few people share it (ERA-08).", where, "masking")
        elif (remnant := _remnant(attribute, mapping)) is not None:
            yield Finding(False, f"{place} stays, so its rows are reported PSEUDONYMISED ({remnant}; ERA-02).", where, "kept")
        elif name == categories:
            yield Finding(
                False, f"{place} stays beside createdon, which nobody can empty: month and day stand beside it (5.3).", where, "kept"
            )


def _check_complete(table: Table, masks: Masks, definition: TableDefinition) -> Iterator[Finding]:
    own = table.columns["anonymised_on"].name
    known = PLATFORM | masks.columns.keys() | masks.keeps.keys() | {own, definition.primary_id}
    for name, attribute in definition.attributes.items():
        kind = type_of(attribute)
        is_derived = attribute.part_of or (not attribute.updatable and kind in _DERIVED)  # it follows from another column
        if name not in known and not is_derived and kind in tuple(ColumnType):
            yield error(
                f"{definition.name}.{name} could hold personal data: give it a technique, or list it under keeps.", masks.where, "masking"
            )


def _check_state(masks: Masks, definition: TableDefinition) -> Iterator[Finding]:
    if (definition.name, masks.state) == RESOLVED:
        told = "no update resolves a case: the CRM has a message of its own for that (CloseIncident), which leaves a resolution behind"
        yield error(f"{told}; write state: {CANCELLED}, which cancels it.", masks.state_where, "masking", str(CANCELLED))
    if "ownerid" not in definition.attributes:
        yield error(f"Rows of {definition.name} have no owner, so no neutral team can have them (ERA-06).", masks.owner_where, "masking")
    for name, value in (("statecode", masks.state), ("statuscode", masks.status)):
        options = definition.attributes[name].options if name in definition.attributes else None
        if value is not None and (options is None or value not in options):
            yield error(f"{definition.name}.{name} has no option {value}.", masks.state_where, "no_option")
