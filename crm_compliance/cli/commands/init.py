"""init: a settings file to begin with, by questions or by flags."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import typer

from crm_compliance.cli.terminal import arguments
from crm_compliance.cli.terminal.output import output, print_line
from crm_compliance.host.files import write_whole
from rules.errors import UsageError

DEFAULT = Path("crm-compliance.toml")
_QUESTIONS = {
    "crm_url": "Address of the CRM (https://org.crm4.dynamics.com)",
    "crm_tenant_id": "Tenant id in Entra ID",
    "crm_client_id": "Application (client) id",
    "data_dir": "Folder for state and keys",
    "mapping": "Mapping file",
    "policy": "Retention schedule",
}
_PATHS = ("data_dir", "mapping", "policy", "crm_client_certificate", "crm_ca_file", "storage_dir", "anchor_file", "erasures_file")


def add_to(app: typer.Typer) -> None:
    app.command("init")(init)


def init(
    path: Path = typer.Option(DEFAULT, "--output", metavar="F.toml", help="The file to write; one that is there is not replaced."),
    crm_url: str = typer.Option("", "--crm-url", metavar="URL", help="The environment's address, or the root of its Web API."),
    tenant: str = typer.Option("", "--tenant", metavar="ID", help="The tenant in Entra ID."),
    client: str = typer.Option("", "--client", metavar="ID", help="The application (client) id."),
    certificate: str = typer.Option("", "--certificate", metavar="F.pem", help="Its certificate with key, instead of a secret."),
    authority: str = typer.Option("", "--authority", metavar="URL", help="The authority where it is not Entra ID."),
    ca_file: str = typer.Option("", "--ca-file", metavar="F.pem", help="Trusted for CRM and authority."),
    data_dir: str = typer.Option("", "--data-dir", metavar="DIR", help="State and keys."),
    mapping: str = typer.Option("", "--mapping", metavar="F.yaml", help="The mapping."),
    policy: str = typer.Option("", "--policy", metavar="F.yaml", help="The retention schedule."),
    storage_dir: str = typer.Option("", "--storage-dir", metavar="DIR", help="Recordings outside the CRM."),
    anchor_file: str = typer.Option("", "--anchor-file", metavar="F", help="Checkpoints of the ledger."),
    erasures_file: str = typer.Option("", "--erasures-file", metavar="F", help="The register of erasures."),
    public_url: str = typer.Option("", "--public-url", metavar="URL", help="Where people reach `serve`."),
) -> None:
    """Write a commented settings file, every setting with what it decides; on a terminal it asks for what is
    needed. No secret is written: it says which variable takes it.

    Example: crm-compliance init --crm-url https://org.crm4.dynamics.com --tenant T --client C --output
    settings.toml
    """
    from crm_compliance.configuration.first_settings import first_settings, missing, secrets_needed

    arguments.new_file(path)
    given = {
        "crm_url": crm_url, "crm_tenant_id": tenant, "crm_client_id": client, "crm_client_certificate": certificate,
        "crm_authority": authority, "crm_ca_file": ca_file, "data_dir": data_dir, "mapping": mapping, "policy": policy,
        "storage_dir": storage_dir, "anchor_file": anchor_file, "erasures_file": erasures_file, "public_url": public_url,
    }  # fmt: skip
    values = {name: _value(name, text) for name, text in given.items() if text}
    if not output.json and sys.stdin is not None and sys.stdin.isatty():
        values |= _asked(values)
    with write_whole(path, text=True) as file:
        file.write(first_settings(values))
    variables, lacking = secrets_needed(values), missing(values)
    document = {"file": str(path), "settings": values, "variables": variables, "missing": lacking}

    def tell(_: object) -> None:
        print_line(f"written: {path}")
        if lacking:
            print_line(f"still to be filled in: {', '.join(lacking)}")
        print_line(f"set as a variable, never in a file: {', '.join(variables) or 'nothing'}")
        named = shlex.quote(str(path))
        print_line(f"then: crm-compliance --config {named} doctor; and where there is no mapping yet, mapping draft --output FILE")

    output.answer(document, tell)


def _value(name: str, text: str) -> str:
    """Return a value as the file will have it: absolute paths, the root of the Web API. Raises UsageError: it
    is not usable."""
    from crm_compliance.configuration.first_settings import web_api_root
    from crm_compliance.configuration.settings import usable

    if name in _PATHS:
        text = str(Path(text).expanduser().absolute())
    value = web_api_root(text) if name == "crm_url" else text
    usable({name: value})
    return value


def _asked(known: dict[str, str]) -> dict[str, str]:
    """Ask for what is needed and was not given; an empty answer leaves it to be filled in later."""
    found: dict[str, str] = {}
    for name, question in _QUESTIONS.items():
        while name not in known and name not in found:
            text = str(typer.prompt(question, default="", show_default=False, err=True)).strip()
            if not text:
                break
            try:
                found[name] = _value(name, text)
            except UsageError as refusal:
                output.note(str(refusal))
    return found
