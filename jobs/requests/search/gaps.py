"""Where people cannot be searched for in this organisation (EXP-03)."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from connectors.interface.connector import Connector
from connectors.interface.remains import Reach, ResidualKind
from jobs.ports.context import JobContext
from jobs.requests.search.documents import TABLE, documents_not_searched
from rules.model.personal_records import (
    FullEmail,
    FullNote,
    FullRecording,
)

AT_ONCE = 4  # reads; the parallelism that the service itself hints at

ELSEWHERE = (ResidualKind.BIN, ResidualKind.RETAINED)


def places_not_searched(context: JobContext, looks: Mapping[tuple[ResidualKind, str], Reach | None] | None = None) -> tuple[str, ...]:
    """Return codes for where people cannot be searched for in this organisation, for any person
    (docs/search.md). The codes are the same for everybody, so that the list of a neutral answer reveals
    nothing (SUS-04). `looks` is what a search has met in the recycle bin and in long-term retention; without
    it they are looked into here. Raises ConnectorError: whether the recycle bin or another place can be
    searched cannot be determined now."""
    connector = context.connector
    places = ["backups"]
    places += connector.copies if connector.copies is not None else ["copies"]
    kinds = connector.all_kinds
    for word, kind in kinds.items():
        if not connector.has(kind.full):
            places.append(f"kind:{word}")
            continue
        mapped = connector.fields(kind.full)
        places += [f"column:{word}.{name}" for name in (*kind.texts, *kind.contents) if name not in mapped]
    places += _unread_contents(connector, has_stores=bool(context.objects))
    met = looks_into(connector) if looks is None else looks
    places += [residual.value for residual in ELSEWHERE if any(met[residual, word] is Reach.NOT_REACHABLE for word in kinds)]
    places += [f"column:{place}" for place in connector.unsearched_columns()]
    tables = [f"table:{name}" for name in connector.data_map().unsearched_tables]
    documents = documents_not_searched(context, tables)
    places += [name for name in tables if name != TABLE or name in documents]
    places += documents
    if connector.residual_data(ResidualKind.HISTORY, ()).reach is not Reach.NOT_KEPT:
        places.append("audit_history")
    return tuple(dict.fromkeys(places))


def looks_into(connector: Connector) -> dict[tuple[ResidualKind, str], Reach | None]:
    """Return what is met in each place where rows are kept elsewhere, by kind; None: it holds no such row."""
    looks = [(residual, kind) for residual in ELSEWHERE for kind in connector.all_kinds.values()]
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="search") as threads:
        found = threads.map(lambda look: connector.look_into(look[0], look[1].full), looks)
        return {(residual, kind.word): each for (residual, kind), each in zip(looks, found, strict=True)}


def _unread_contents(connector: Connector, *, has_stores: bool) -> list[str]:
    """List contents that are handed over as they are, and in which nobody is looked for; and activities of
    kinds that are not mapped. What this CRM has none of is not a gap."""
    places = []
    if connector.has(FullRecording):
        places.append("recordings_audio")
        if not has_stores and "storage_uri" in connector.fields(FullRecording):
            places.append("external_storage")
    if connector.has(FullNote) or any(kind.contents for kind in connector.all_kinds.own):
        places.append("attachments_content")
    if connector.has(FullEmail) and connector.has_email_files():
        places.append("email_attachments")
    if connector.has_other_activities():
        places.append("other_activities")
    return places
