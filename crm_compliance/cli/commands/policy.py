"""policy: showing the retention schedule, checking it, and what a change of it would mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from crm_compliance.cli.terminal import arguments
from crm_compliance.cli.terminal.output import output, print_line
from crm_compliance.host.files import text_of, write_whole

if TYPE_CHECKING:
    from rich.console import Console

    from crm_compliance.configuration.settings import Settings
    from rules.policy.policy import Policy
    from rules.policy.versions import PolicyVersions, Version

policy = typer.Typer(help="The retention schedule: show, check, compare, try out, review.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    app.add_typer(policy, name="policy")


@policy.command("show")
def show(path: Path | None = typer.Option(None, "--output", metavar="F.yaml", help="Write the policy's text to a new file.")) -> None:
    """Show the retention schedule in force, or write its text to a file that can be changed and passed by
    CRM_COMPLIANCE_POLICY.

    Example: crm-compliance policy show --output policy.yaml
    """
    from rules.policy.rows import describe

    versions, version = _in_force(arguments.settings())
    found = version.policy
    if path is not None:
        with write_whole(arguments.new_file(path)) as out:
            out.write(version.text.encode())
    rows = [asdict(row) for row in describe(found)]
    document = {
        "name": found.name,
        "version": found.version,
        "valid_from": found.valid_from.isoformat(),
        "digest": found.digest,
        "source": version.source,
        "versions": _versions(versions, version),
        "categories": rows,
        "contacts": {"bypass": [each.value for each in found.contacts.bypass]},
        "files": [str(path)] if path is not None else [],
    }

    def tell(console: Console) -> None:
        console.print(f"{found.name} {found.version}, valid from {found.valid_from} on; {version.source}")
        for other in versions.versions:
            if other is not version:
                when = "from" if other.policy.valid_from > found.valid_from else "before: from"
                console.print(f"version {other.policy.version}, valid {when} {other.policy.valid_from} on; {other.source}")
        _schedule(console, "In force", [row for row in rows if row["enabled"]])
        _schedule(console, "Off: units are kept until the controller has decided", [row for row in rows if not row["enabled"]])
        if found.contacts.bypass:
            console.print(f"\nContacts go and are trimmed with a bypass of {', '.join(found.contacts.bypass)}.")
        if path is not None:
            print_line(f"written: {path}")

    output.answer(document, tell)


def _in_force(settings: Settings) -> tuple[PolicyVersions, Version]:
    from crm_compliance.wiring.clock import clock_of
    from crm_compliance.wiring.schedule import policy_versions

    versions = policy_versions(settings)
    return versions, versions.at(clock_of(settings)())


def _versions(versions: PolicyVersions, in_force: Version) -> list[dict[str, object]]:
    return [
        {
            "version": version.policy.version,
            "valid_from": version.policy.valid_from.isoformat(),
            "digest": version.policy.digest,
            "source": version.source,
            "in_force": version is in_force,
        }
        for version in versions.versions
    ]


def _schedule(console: Console, title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print each row of the schedule in two lines: what people call it and what a file calls it; how long,
    from when; what happens then."""
    from crm_compliance.cli.terminal.tables import table_of
    from crm_compliance.reports.parts.sentences import anchor_name
    from rules.policy.rows import OF_RELATIONS

    if not rows:
        return
    console.print(f"\n{title}", style="bold")
    cells = []
    for row in rows:
        anchors = ", else ".join(map(anchor_name, row["anchor"].split(", else ")))
        if row["unit"] in OF_RELATIONS:
            anchors = anchors.replace(anchor_name("ended_on"), "end of the agreement").replace(anchor_name("booked_on"), "last gift")
        period = f"{row['period']}\nfrom {anchors}" if anchors else row["period"]
        then = f"{row['disposition']}\nbypass of {', '.join(row['bypass'])}" if row["bypass"] else row["disposition"]
        cells.append((f"{row['label']}\n{row['key']}", period, then))
    console.print(table_of(("Category", "Period", "Then"), cells, wraps=1))


@policy.command("check")
def check(
    path: Path | None = typer.Argument(None, metavar="[F]", help="A policy file or a folder of versions; without, the one in force."),
) -> None:
    """Check a retention schedule; every error is told with file and line (exit 3). Where the settings name a
    mapping, so is a row in force that no category of it goes by.

    Example: crm-compliance policy check policy.yaml
    """
    from crm_compliance.configuration.organisation import organisation_of
    from crm_compliance.wiring.clock import clock_of
    from crm_compliance.wiring.mapping import named_categories
    from crm_compliance.wiring.schedule import versions_in
    from rules.policy.loader import load_policy

    settings = arguments.settings()
    if path is None:
        versions, version = _in_force(settings)
    elif path.is_dir():
        versions = versions_in(path)
        version = versions.at(clock_of(settings)())
    else:
        versions, version = _one(path)
    found = load_policy(version.text, source=version.source, crm_categories=named_categories(settings))
    unfilled = organisation_of(settings).under(found).unfilled(found)
    enabled = sum(1 for category in found.categories.values() if category.enabled)
    document = {
        "ok": True,
        "name": found.name,
        "version": found.version,
        "digest": found.digest,
        "categories": len(found.categories),
        "enabled": enabled,
        "unfilled": list(unfilled),
        "versions": _versions(versions, version),
    }

    def tell(console: Console) -> None:
        off = len(found.categories) - enabled
        console.print(f"{version.source} is in order: {enabled} categories in force, {off} off")
        _unfilled(console, unfilled)
        if len(versions.versions) > 1:
            console.print(f"{len(versions.versions)} versions in all; {found.version} is the one of today")

    output.answer(document, tell)


def _unfilled(console: Console, unfilled: Sequence[str]) -> None:
    if unfilled:
        console.print("Yet to be filled in by the controller, categories here, the rest in the organisation file, for answers to people:")
        for place in unfilled:
            console.print(f"  {place}", soft_wrap=True)


def _one(path: Path) -> tuple[PolicyVersions, Version]:
    from rules.policy.loader import load_policy
    from rules.policy.versions import PolicyVersions, Version

    text = text_of(path, "policy")
    version = Version(load_policy(text, source=str(path)), text, str(path))
    return PolicyVersions((version,)), version


@policy.command("diff")
def diff(
    old: Path = typer.Argument(..., metavar="OLD", help="The version before."),
    new: Path = typer.Argument(..., metavar="NEW", help="The version after."),
) -> None:
    """Describe in words what changed between two versions of a retention schedule, and which changes erase
    earlier.

    Example: crm-compliance policy diff policy-2026.yaml policy-2027.yaml
    """
    from crm_compliance.reports.policy_changes import print_changes
    from crm_compliance.wiring.mapping import named_categories
    from rules.policy.diff import differences

    before, after = (_one(path)[1].policy for path in (old, new))
    changes = differences(before, after, named_categories(arguments.settings()))
    document = {
        "old": _named(before),
        "new": _named(after),
        "changes": [
            {"where": one.where, "old": one.old, "new": one.new, "sentence": one.sentence, "direction": one.direction.value}
            for one in changes
        ],
    }
    output.answer(document, lambda console: print_changes(before, after, changes, console))


def _named(found: Policy) -> dict[str, str]:
    return {"name": found.name, "version": found.version, "valid_from": found.valid_from.isoformat(), "digest": found.digest}


@policy.command("simulate")
def simulate(
    new: Path = typer.Argument(..., metavar="NEW", help="The schedule to try out."),
    as_of: str | None = typer.Option(None, metavar="DATE", help="Look at another day or instant than now."),
    path: Path | None = typer.Option(None, "--output", metavar="F", help="Write the units that change as .jsonl or .csv."),
) -> None:
    """Decide on every unit by the schedule in force and by another one, and tell what would change; nothing
    is written anywhere.

    Example: crm-compliance policy simulate policy-2027.yaml --as-of 2027-01-01
    """
    from crm_compliance.cli.terminal.report_files import labels_of
    from crm_compliance.reports.parts.endings import ending_of
    from crm_compliance.reports.policy_changes import SUFFIXES, print_simulation, simulation_document, write_units
    from crm_compliance.wiring.mapping import app_url_of, link_of
    from jobs.plans.questions.simulate import simulate as simulated

    if path is not None:
        ending_of(path, SUFFIXES)
    moment = arguments.instant(as_of, "--as-of", arguments.settings()) if as_of is not None else None
    if path is not None:
        arguments.target(path)
    tried = _one(new)[1].policy
    with arguments.opened() as desk:
        found = simulated(desk.context, tried, day=desk.context.day(moment or desk.context.clock()))
        link = link_of(desk.context.crm, app_url_of(desk.settings))
    if path is not None:
        from crm_compliance.host.files import write_whole

        with write_whole(path) as out:
            write_units(found, path.suffix.lower(), out, link=link)
    document = simulation_document(found) | {"files": [str(path)] if path is not None else []}

    def tell(console: Console) -> None:
        print_simulation(found, labels_of(found.old) | labels_of(found.new), console)
        if path is not None:
            print_line(f"written: {path}")

    output.answer(document, tell)


@policy.command("review")
def review(
    path: Path = typer.Option(..., "--output", metavar="F", help="The pack as .html or .json."),
    as_of: str | None = typer.Option(None, metavar="DATE", help="Look at another day or instant than now."),
) -> None:
    """Write the pack for the yearly review of the schedule: what has no term, what nobody decided, what waits
    for a review.

    Example: crm-compliance policy review --output review.html
    """
    from crm_compliance.cli.terminal.report_files import labels_of, unit_names
    from crm_compliance.reports.parts.endings import ending_of
    from crm_compliance.reports.yearly_review import SUFFIXES, print_review, review_document, review_pieces
    from crm_compliance.wiring.mapping import app_url_of, link_of
    from jobs.plans.questions.yearly_review import review_schedule

    suffix = ending_of(path, SUFFIXES)
    moment = arguments.instant(as_of, "--as-of", arguments.settings()) if as_of is not None else None
    arguments.target(path)
    with arguments.opened() as desk:
        pack = review_schedule(desk.context, day=desk.context.day(moment or desk.context.clock()))
        labels, link = labels_of(pack.policy), link_of(desk.context.crm, app_url_of(desk.settings))
        named = unit_names(desk.settings)
    document = review_document(pack)
    with write_whole(path) as out:
        if suffix == ".json":
            import msgspec

            out.write(msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n")
        else:
            for piece in review_pieces(pack, labels=labels, link=link, unit_name=named):
                out.write(piece.encode())

    def tell(console: Console) -> None:
        print_review(pack, labels, console)
        _unfilled(console, pack.unfilled)
        print_line(f"written: {path}")

    output.answer(document | {"files": [str(path)]}, tell)
