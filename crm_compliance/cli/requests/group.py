"""requests: what people ask about their own data, from the receipt to the released package. The commands
stand in the order in which a request meets them: the register, its transitions, the search for the person,
the answer, the other rights, the recipients who are told."""

import typer

from crm_compliance.cli.requests import answer, decide, notices, register, search, transitions

requests = typer.Typer(help="Subject requests: open, identify, match, compile, review, release.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    for part in (register, transitions, search, answer, decide, notices):
        part.add_to(requests)
    app.add_typer(requests, name="requests")
