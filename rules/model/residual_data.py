"""The places in which personal data of a record can be left, beyond the record itself, and what was found in
each. Source: ERA-12, ERA-15; the wire reference, section 11."""

from enum import StrEnum


class ResidualPlace(StrEnum):
    """One line of ERA-12, in its order; the value is the key in certificates and reports."""

    NOTES = "notes"
    ACTIVITIES = "activities"
    TIMELINE = "timeline"
    FILES = "files"
    CHILD_ROWS = "child_rows"
    RECORDINGS = "recordings"
    AUDIT_HISTORY = "audit_history"
    RECYCLE_BIN = "recycle_bin"
    JOB_ROWS = "job_rows"
    COPIES = "copies"
    EXPORTS = "exports"
    EXTRACTS = "extracts"


class PlaceState(StrEnum):
    """What is known of a place after a disposal. Only `still_there` keeps a unit from done (ERA-15)."""

    DONE = "done"
    NOT_APPLICABLE = "not_applicable"
    NOT_REACHABLE = "not_reachable"
    STILL_THERE = "still_there"
