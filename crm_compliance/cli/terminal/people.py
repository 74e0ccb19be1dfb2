"""The options by which a person says who they are and in which role they act."""

from typing import Any

import typer

from rules.model.roles import Act, roles_of

AS: Any = typer.Option("", "--as", metavar="WHO", help="Who you are: an account that is signed in; without, the last one.")


def role_for(act: Act, note: str = ".") -> Any:
    """Return the option `--role` of a command: its help names the roles that may do this, and goes on with
    `note`."""
    return typer.Option("", "--role", metavar="ROLE", help=f"{' or '.join(roles_of(act))}{note}")
