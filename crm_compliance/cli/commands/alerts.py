"""alerts: whom the service tells of what, and a test of each channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from crm_compliance.cli.terminal import arguments
from crm_compliance.cli.terminal.output import output, print_line
from rules.errors import FAILURES, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from crm_compliance.alerts.channels import Channels
    from crm_compliance.configuration.settings import Settings

alerts = typer.Typer(help="Who is told of what, by which channel: list, test.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    app.add_typer(alerts, name="alerts")
    alerts.command("list")(list_)
    alerts.command("test")(try_out)


def list_() -> None:
    """List the channels, how each does, and what waits for whom: what was told, and what will be at the next
    look. No address of anybody is shown.

    Example: crm-compliance alerts list
    """
    from crm_compliance.alerts.channel_list import listed
    from crm_compliance.service.alerts import waiting_now
    from crm_compliance.service.single_service import service_since

    settings = arguments.settings()
    channels = _channels(settings)
    with arguments.opened_store(settings) as (store, clock):
        now = clock()
        items, _ = waiting_now(settings, store, now, service_since(store, clock))
        found = listed(channels, items, store.told, now)
    output.answer(found, lambda console: _show(found, console))


def try_out(channel: str | None = typer.Option(None, "--channel", metavar="C", help="This one alone; without it, all.")) -> int:
    """Send a test message by each channel, to everybody whom it reaches; exit 6 where one does not take it. A
    dead-man's switch is reached and hears nothing: what it hears counts as a night.

    Example: crm-compliance alerts test --channel mail
    """
    from crm_compliance.alerts.channel_list import tried
    from rules.files.suggestions import meant

    settings = arguments.settings()
    channels = _channels(settings)
    known = channels.types
    if channel is not None and channel not in known:
        hint = f"one of: {', '.join(known)}"
        raise UsageError(f"there is no channel {channel[:40]}{meant(channel, known)}", hint=hint, where="--channel")
    rows = [tried(settings, channels, name) for name in known if channel in (None, name)]
    ok = all(row["ok"] for row in rows)
    output.answer({"ok": ok, "channels": rows}, lambda console: _show_test(rows, console))
    return 0 if ok else FAILURES


def _channels(settings: Settings) -> Channels:
    from crm_compliance.alerts.channels import channels_of
    from crm_compliance.wiring.clock import clock_of

    found = channels_of(settings, clock_of(settings))
    if not found.types:
        raise UsageError("no alert channel is configured", hint="name an alerts file in ALERTS; docs/alerts.md has one", where="ALERTS")
    return found


def _show(found: dict[str, list[dict[str, Any]]], console: Console) -> None:
    from crm_compliance.cli.terminal.tables import table_of

    rows = [
        (row["channel"], row["type"], f"{row['code']} since {row['failing_since']}" if row["failing_since"] else "ok", str(row["sent"]))
        for row in found["channels"]
    ]
    console.print(table_of(("Channel", "Type", "State", "Messages"), rows, numbers=1, wraps=2))
    if not found["waiting"]:
        print_line("nothing waits for anybody whom a channel reaches")
        return
    lines = [
        (each["target"], each["event"], each["code"], each["subject"], each["told_at"] or "at the next look") for each in found["waiting"]
    ]
    console.print(table_of(("To", "Event", "Code", "About", "Told"), lines, wraps=1))


def _show_test(rows: list[dict[str, Any]], console: Console) -> None:
    from crm_compliance.cli.terminal.tables import table_of

    found = [
        (row["channel"], "ok" if row["ok"] else "FAILED", "\n".join(filter(None, (row["message"], row["hint"] and f"hint: {row['hint']}"))))
        for row in rows
    ]
    console.print(table_of(("Channel", "", "Found"), found, wraps=2))
