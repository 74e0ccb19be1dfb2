"""Where in the console a thing that waits is seen to."""

from jobs.inbox.item import InboxItem, ItemKind


def address_of(item: InboxItem, *, sees_history: bool) -> str:
    """Return the path of its page; of the plans, where who reads may not see the history."""
    match item.kind:
        case ItemKind.PLAN_TO_APPROVE | ItemKind.PLAN_TO_APPLY:
            return f"/plans/{item.subject}"
        case ItemKind.RUN_INTERRUPTED | ItemKind.ALARM | ItemKind.NOT_WELL | ItemKind.KEYS_REPLACED if not sees_history:
            return "/plans"
        case ItemKind.RUN_INTERRUPTED:
            return f"/history/{item.subject}"
        case ItemKind.ANSWER_TO_REVIEW:
            return f"/requests/{item.subject}/review"
        case ItemKind.HOLD_TO_REVIEW | ItemKind.HOLD_NOT_FOUND:
            return f"/holds/{item.subject}"
        case ItemKind.QUARANTINE:
            return "/quarantine"
        case ItemKind.UNDECIDED | ItemKind.STOPPED:
            return "/plans"
        case ItemKind.KEYS_REPLACED:
            return "/history"
        case ItemKind.TABLES_UNACCOUNTED:
            return "/datamap"
        case ItemKind.ALARM | ItemKind.NOT_WELL:
            run = item.hint.facts.get("run") if item.hint is not None else None
            return f"/history/{run}" if run else "/history"
        case _:
            return f"/requests/{item.subject}"
