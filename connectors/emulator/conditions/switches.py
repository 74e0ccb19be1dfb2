"""Where nobody outside knows what the real service does: a choice with a default, for a client to be tried
both ways.

Each rests on inference alone (marked so in the table of what is emulated), or on a setting that differs from
one organisation to the next. `PUT /_emulator/switches` changes them; `--profile onprem` is a set of other
defaults."""

from dataclasses import dataclass, field, fields
from typing import Any


class SwitchProblem(Exception):
    """A switch that does not exist, or a value that it does not take."""


def _switch(default: Any, about: str, *choices: Any) -> Any:
    return field(default=default, metadata={"about": about, "choices": choices})


@dataclass
class Switches:
    """Every switch with its default. A test sets fields directly."""

    # how the service answers
    delete_on_set_status: int = _switch(405, "Status of a DELETE or PATCH on a whole set.", 405, 404, 400)
    nested_batch_refused: bool = _switch(True, "A batch inside a batch is refused with 400.")
    failed_change_set: str = _switch(
        "nested", "The one error of a failed change set: in a multipart of its own, or plain.", "nested", "plain"
    )
    count_capped: bool = _switch(True, "`/$count` stops at 5,000 as `@odata.count` does.")
    stale_counts: bool = _switch(False, "`RetrieveTotalRecordCount` gives a snapshot, which is taken again after 24 hours.")
    collection_links_only: bool = _switch(False, "An expanded collection in a list has only its nextLink, no rows, as in older builds.")
    inner_errors: bool = _switch(False, "Errors carry an `innererror` with a stack trace, as on-premises.")
    bound_references: bool = _switch(True, "`$1` is understood in a bind too; releases on-premises before 9.1 answered 500.")
    throttle_inside_batch: bool = _switch(
        False, "The operations of a batch count and are refused one by one, a 429 for each, instead of the whole of it."
    )
    incident_by_action: bool = _switch(True, "An incident is resolved by `CloseIncident` alone; an update that does it is a 400.")
    connection_halves: bool = _switch(True, "A connection is kept twice, once from either side.")
    # what a delete leaves
    remove_link_bumps_etag: bool = _switch(True, "Clearing a link because its target was deleted gives the row a new version.")
    party_name_cleared: bool = _switch(False, "The stored name and address of a deleted participant are emptied.")
    cascade_needs_child_delete: bool = _switch(True, "A cascade needs the privilege to delete on each child table, else 403.")
    history_of_deleted: str = _switch(
        "refuse", "`DeleteRecordChangeHistory` on a row that is gone: refused with 404, or carried out.", "refuse", "delete"
    )
    purge_log_names_row: bool = _switch(True, "The audit row that logs a purge of one row's history has the id of that row.")
    # bulk delete
    bulk_delete_status: int = _switch(30, "How a bulk delete ends that had failures: 30 succeeded, 31 failed.", 30, 31)
    bulk_delete_queue_s: float = _switch(0.2, "Seconds that a job waits before it starts.")
    bulk_delete_run_s: float = _switch(0.2, "Seconds that a job shows as in progress.")
    sandbox: bool = _switch(False, "The environment is of type Sandbox, where `RunJobForSandbox` is honoured.")
    # files
    null_guards_files: bool = _switch(False, "`If-None-Match: null` refuses an upload into a column that holds a file.")
    # change tracking
    untracked_status: int = _switch(400, "Asking for changes of a table without change tracking.", 400, 501)
    expired_delta_status: int = _switch(400, "Following a delta link that has expired.", 400, 410)
    expired_delta_full: bool = _switch(False, "An expired delta link gives all rows as new, as until August 2022.")
    change_tracking_days: int = _switch(
        0, "Days after which a delta link expires; 0: as many as `organization.expirechangetrackingindays` says."
    )
    # recycle bin
    recycle_bin_days: int = _switch(0, "Days that deleted rows stay restorable; 0: the bin is off.")
    reference_delete_purges: bool = _switch(True, "Deleting a `deleteditemreference` also removes the copy in the recycle bin.")
    # documents in SharePoint
    bin_lists_second_stage: bool = _switch(True, "The list of a site's recycle bin has the second stage too.")
    graph_page_size: int = _switch(200, "How many items a page of Graph has at most.")
    # on-premises
    highest_version: str = _switch("v9.2", "The highest version in an address.", "v9.2", "v9.1", "v9.0")
    adfs: bool = _switch(False, "A 401 names AD FS, and offers Windows credentials beside it.")
    service_protection: bool = _switch(True, "Service protection limits exist at all, and with them the headers on what is left.")
    chunked_files: bool = _switch(True, "Files can be moved in chunks.")
    quarterly_audit_partitions: bool = _switch(True, "`DeleteAuditData` removes whole quarters only.")
    bulk_messages: bool = _switch(True, "CreateMultiple, UpdateMultiple and UpsertMultiple exist.")

    def set(self, document: dict[str, Any]) -> None:
        """Change switches by name, all or none. Raises SwitchProblem: naming the switch."""
        known = {each.name: each for each in fields(self)}
        for name, value in document.items():
            if name not in known:
                raise SwitchProblem(f"there is no switch {name}")
            default, choices = known[name].default, known[name].metadata["choices"]
            if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
                value = float(value)
            if type(value) is not type(default) or (choices and value not in choices):
                raise SwitchProblem(f"{name} cannot be {value!r}")
        for name, value in document.items():
            setattr(self, name, float(value) if isinstance(known[name].default, float) else value)

    def document(self) -> dict[str, Any]:
        return {each.name: getattr(self, each.name) for each in fields(self)}


PROFILES: dict[str, dict[str, Any]] = {
    "online": {},
    "onprem": {
        "highest_version": "v9.1",
        "adfs": True,
        "service_protection": False,
        "chunked_files": False,
        "quarterly_audit_partitions": False,
        "bulk_messages": False,
        "inner_errors": True,
    },
}


def switches_of(profile: str) -> Switches:
    """Return the switches of `online` or `onprem`."""
    switches = Switches()
    switches.set(PROFILES[profile])
    return switches
