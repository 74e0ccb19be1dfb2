"""Whether the account may do what the jobs need, and sees every row. A list is shortened without a word for
who may see a part of it: where a row is hidden that still needs a person, nobody seems to need them."""

from connectors.interface.connector import Connector
from connectors.interface.errors import Forbidden
from jobs.model.privileges import needs_under
from rules.hints import hint_to
from rules.policy.policy import Policy


def permitted(connector: Connector, policy: Policy) -> tuple[str, ...]:
    """Compare the application user's privileges with what the jobs need under a schedule. Return what is only
    a warning. Raises Forbidden: something is missing, or a table is visible in part only; all of it is
    reported.

    To be called before anything is read, and again once what is decided by was read: a role may be narrowed
    while a night is under way."""
    findings = connector.check_privileges(needs_under(policy), policy.bypasses)
    lines = {wrong: [f"{each.where}: {each.message}" for each in findings if each.is_error is wrong] for wrong in (True, False)}
    if lines[True]:
        raise Forbidden("\n".join(lines[True]), hint=hint_to("write_role"), where="privileges")
    return tuple(lines[False])
