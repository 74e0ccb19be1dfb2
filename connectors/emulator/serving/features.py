"""What is emulated, row by row, and on what evidence; `docs/emulator.md` is written from here. The rows are
those by which the emulator was ordered; the tests that prove a row carry its number (`pytest.mark.row`)."""

from dataclasses import dataclass, fields

from connectors.emulator.conditions.switches import PROFILES, Switches
from connectors.emulator.request import faults

DOC = "documented"
CODE = "seen in a vendor's or third party's client"
PARTLY = "documented; what the switches are for, inferred"


@dataclass(frozen=True)
class Feature:
    """One row. `behaviour` is what a client sees; `switches` are named where it rests on inference."""

    row: int
    name: str
    behaviour: str
    evidence: str
    switches: tuple[str, ...]


def _row(number: int, name: str, behaviour: str, evidence: str, *switches: str) -> Feature:
    return Feature(number, name, behaviour, evidence, switches)


FEATURES = (
    _row(
        1, "Token endpoint, 401", "tokens for each client id, a code for a person's browser (PKCE), signed tokens about people, "
        "and a challenge that names the authority", CODE, "adfs",
    ),
    _row(2, "Standard headers", "OData version, content type, request ids on every answer; `If-None-Match: null` counts as absent", DOC),
    _row(3, "WhoAmI", "three ids and `x-ms-dop-hint`; a POST is 404 with an empty code", DOC),
    _row(
        4, "Service document, definitions", "set names that follow no rule of plurals; an address names its version", DOC,
        "highest_version",
    ),
    _row(5, "Case sensitivity", "sets and columns in their exact case", DOC),
    _row(6, "GET by id", "context, ETag, key and explicit nulls; an unknown id is 404", DOC),
    _row(7, "Lookups", "the bare id, and three annotations for who asks", DOC),
    _row(8, "POST", "204 with the row's address, or 201 with the row; a taken id is 412", DOC),
    _row(9, "`@odata.bind`", "five forms of address, exact case", DOC),
    _row(10, "PATCH and upsert", "a missing row is created unless `If-Match` says otherwise", DOC),
    _row(11, "Versions", "each write changes the ETag; a stale one is 412 and changes nothing", DOC),
    _row(12, "DELETE", "204, then 404; on a whole set refused", PARTLY, "delete_on_set_status"),
    _row(13, "`$filter`", "comparison, logic, quoting, paths through lookups, case-insensitive text", DOC),
    _row(14, "Paging", "keyset cookies, twice encoded; up to 5,000 rows a page", DOC),
    _row(15, "`$count`", "never more than 5,000", PARTLY, "count_capped"),
    _row(16, "429", "requests, execution time and concurrency in a sliding window per user and web server", DOC, "service_protection"),
    _row(17, "`$batch`", "order, stop at the first failure or `continue-on-error`", PARTLY, "throttle_inside_batch"),
    _row(18, "Change sets", "all or nothing, references to earlier parts", PARTLY, "failed_change_set", "bound_references"),
    _row(19, "Guards of batches", "1,000 operations, a last line that ends, no nesting", PARTLY, "nested_batch_refused"),
    _row(20, "Errors", "code and message, details for who asks, a gateway's HTML as a fault", DOC, "inner_errors"),
    _row(21, "Cascades", "cascade, remove link, restrict, none; in one transaction", PARTLY, "remove_link_bumps_etag"),
    _row(22, "Parties of activities", "stay with name and address when the person's row goes", PARTLY, "party_name_cleared"),
    _row(23, "Activities", "one list over all kinds; they go with what they are about", DOC),
    _row(24, "BulkDelete", "a job, its counts and failures", PARTLY, "bulk_delete_status", "bulk_delete_queue_s", "bulk_delete_run_s"),
    _row(25, "Options of BulkDelete", "past the recycle bin; sandbox mode in a sandbox only", DOC, "sandbox"),
    _row(26, "BulkDelete of audit and jobs", "where a plain DELETE is refused", DOC),
    _row(27, "Audit", "create, update and delete with old values, which outlive the row", DOC),
    _row(
        28, "Purging history", "`DeleteRecordChangeHistory` leaves one row", PARTLY,
        "history_of_deleted", "purge_log_names_row", "quarterly_audit_partitions",
    ),
    _row(
        29, "Recycle bin", "deleted and cascaded rows by `datasource`, restore, expiry", PARTLY,
        "recycle_bin_days", "reference_delete_purges",
    ),
    _row(30, "Privileges", "roles and depth; lists are filtered without a word", PARTLY, "cascade_needs_child_delete"),
    _row(31, "Metadata for cascades and labels", "string-valued behaviours, labels of provisioned languages", CODE),
    _row(
        32, "Change tracking", "delta links, deletions last; retained rows count as deleted", PARTLY,
        "untracked_status", "expired_delta_status", "expired_delta_full", "change_tracking_days",
    ),
    _row(33, "File columns", "whole, in ranges, in chunks", DOC, "chunked_files", "null_guards_files"),
    _row(34, "Notes", "base64 bodies with their size (`filesize`, read-only), a limit, deleted with what they belong to", DOC),
    _row(35, "Single properties", "PUT a value, DELETE to empty", DOC),
    _row(36, "References", "associate and disassociate in their four forms", DOC),
    _row(37, "Alternate keys", "in addresses and binds; values must be unique", DOC),
    _row(38, "Dates", "three behaviours, an injectable clock", DOC),
    _row(39, "Query functions", "`Microsoft.Dynamics.CRM.*`, inline and by alias; no `not` over them", DOC),
    _row(40, "`any` and `all`", "nested too; at most 500 conditions", DOC),
    _row(41, "Impersonation", "two headers, a privilege, both users recorded", DOC),
    _row(42, "CreateMultiple and its kin", "all or nothing, typed targets", DOC, "bulk_messages"),
    _row(43, "`$expand`", "single, collection, nested and paged; at most 15", DOC, "collection_links_only"),
    _row(44, "`$apply`", "aggregates and groups over at most 50,000 rows", DOC),
    _row(45, "FetchXML, saved queries", "paging cookie, nulls left out", DOC),
    _row(46, "RetrieveTotalRecordCount", "may lag behind", DOC, "stale_counts"),
    _row(47, "Duplicate detection", "only for who asks for it", DOC),
    _row(48, "Column security", "null to read, 403 to write", CODE),
    _row(
        49, "Long-term retention, images, CSDL, changes of metadata",
        "a source of its own; thumbnails; stamps; tables, columns, relationships and choices can be made", PARTLY,
    ),
    _row(50, "Length of addresses", "32,768 characters, twice that inside a batch", DOC),
    _row(51, "Connections", "kept twice, once from either side; made, changed and deleted together", PARTLY, "connection_halves"),
    _row(52, "Incidents", "resolved by `CloseIncident`, with an activity that tells how", PARTLY, "incident_by_action"),
    _row(
        53, "Documents in SharePoint",
        "Microsoft Graph at `/v1.0/`: sites by address and id, libraries, items by id and path in pages, contents by redirect and range, "
        "`DELETE` into the recycle bin of two stages, `permanentDelete` past it, 423 and 403 for what may not go; tokens for Graph alone, "
        "`Sites.Selected`; filled by `PUT /_emulator/graph`", PARTLY, "bin_lists_second_stage", "graph_page_size",
    ),
    _row(
        54, "Merge", "rows of the subordinate are the target's, through the relationships of an organisation too; it stays, inactive, with "
        "`masterid` and `merged`", PARTLY,
    ),
)  # fmt: skip

NOT_EMULATED = (
    "Elastic and virtual tables: partial success, `partitionId`, `ttlinseconds`; DeleteMultiple is refused as for a standard table",
    "Sharing of single rows (`GrantAccess`, access teams) and hierarchy security",
    "Dataverse search, uploads to SharePoint, OneDrive, Synapse and Fabric links, flows",
    "Windows sign-in (NTLM, Kerberos): an on-premises organisation is entered with a token of its AD FS",
    "Calculated and rollup columns but names put together, business rules, workflows; custom logic but refusals",
    "Hierarchies but a table's lookup to itself, asked by its key or that lookup; fiscal calendars but quarters of the calendar year",
    "Settings of users: everybody has the organisation's language and sees every instant in UTC",
    "Solutions and publishing: what is made is there at once",
    "Time between retention and removal, and the column `msft_datastate`: a retained row leaves the live tables at once",
    "Actions on single options of a choice (`InsertOptionValue` and its kin), new activity tables",
    "Scaling of images: an image too large for a thumbnail has a grey one",
    "Backups and copies of an environment",
)


def emulator_page() -> str:
    """Return the text of `docs/emulator.md`."""
    lines = [
        "# The emulator",
        "",
        "A Dataverse organisation on this machine, spoken to over HTTP: `crm-compliance emulator serve`. It shares no code with the",
        "client, so that each checks the other. This page is written by `connectors/emulator/serving/features.py`; tests name the",
        "rows that they prove.",
        "",
        "What is documented can still differ from what a real organisation does today. Before a first run against one, let the contract",
        "suite ask it: `CRM_COMPLIANCE_TEST_URL=… pytest tests/connectors/contract`.",
        "",
        "## What is emulated",
        "",
        "| row | feature | what a client sees | evidence | switches |",
        "|---|---|---|---|---|",
    ]
    for each in FEATURES:
        named = ", ".join(f"`{name}`" for name in each.switches)
        lines.append(f"| {each.row} | {each.name} | {each.behaviour} | {each.evidence} | {named} |")
    lines += ["", "## What is not", "", *(f"- {text}." for text in NOT_EMULATED), ""]
    lines += [
        "## Switches",
        "",
        "Where the evidence is inference, or organisations differ. `PUT /_emulator/switches` with an object of names and values.",
        "",
        "| switch | default | on-premises | meaning |",
        "|---|---|---|---|",
    ]
    for one in fields(Switches):
        premises = PROFILES["onprem"].get(one.name, one.default)
        shown = "" if premises == one.default else f"`{premises}`"
        choices = one.metadata["choices"]
        allowed = f" One of {', '.join(f'`{choice}`' for choice in choices)}." if choices else ""
        lines.append(f"| `{one.name}` | `{one.default}` | {shown} | {one.metadata['about']}{allowed} |")
    lines += [
        "",
        "## Faults",
        "",
        "`PUT /_emulator/faults` takes a list of rules.",
        "",
        (faults.__doc__ or "").partition("\n\n")[2].strip(),
        "",
    ]
    return "\n".join(lines)
