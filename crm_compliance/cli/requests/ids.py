"""The request that a command is about: by its id, or by the short reference that letters and people on the
telephone name."""

import typer

from crm_compliance.cli.terminal import arguments
from rules.errors import UsageError


def id_of(context: typer.Context, typed: str) -> str:
    """Return the id of a request from what was typed. Whatever does not begin like a reference counts as an
    id, which the command looks up.

    Raises:
        UsageError: a reference whose check sign does not fit, or that no request has.
    """
    from rules.model.references import PREFIX, is_reference, tidied

    reference = tidied(typed)
    if context.resilient_parsing or not reference.startswith(PREFIX):
        return typed
    if not is_reference(reference):
        raise UsageError(
            "this is not one of our references: its check sign does not fit the others",
            hint="read it again, sign by sign; crm-compliance requests list shows the ids of all requests",
            where="R",
        )
    with arguments.opened_store(arguments.settings()) as (store, _):
        found = [request.id for request in store.requests.all() if request.reference == reference]
    if len(found) == 1:
        return found[0]
    what = "no request has" if not found else "several requests have"
    raise UsageError(f"{what} this reference", hint="crm-compliance requests list", where=reference)


REQUEST = typer.Argument(..., metavar="R", callback=id_of, help="The id of the request, or its short reference (DSR-YYYY-XXXX-XXXX).")
