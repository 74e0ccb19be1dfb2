"""Requests named by their short reference, and who may see what of them without a role. Everybody is
fictitious."""

import pytest

from tests.crm_compliance.cli.requests.family import LOTTE, lotte
from tests.drivers.asking import Asking
from tests.drivers.night import Night
from tests.drivers.typist import DORA, ERIK, Typist


@pytest.fixture
def asking(typist: Typist, org: Night) -> Asking:
    lotte(org)
    return Asking(typist).open(LOTTE | {"birthdate": "2012-03-04"}, kind="child")


def reference_of(asking: Asking) -> str:
    found = asking.typist.ask("requests", "show", asking.id)["reference"]
    assert isinstance(found, str)
    return found


def test_a_request_is_named_by_its_reference_as_by_its_id(asking: Asking) -> None:
    typist, reference = asking.typist, reference_of(asking)
    for typed in (reference, reference.lower(), f" {reference} ", reference.replace("0", "o").replace("1", "l")):
        assert typist.ask("requests", "show", typed)["request"] == asking.id
    typist.ask("requests", "identify", reference, "--method", "eid", *DORA)
    found = typist.ask("requests", "match", reference)
    assert found["request"] == asking.id
    assert typist.ask("requests", "confirm", reference, found["candidates"][0]["candidate"], *DORA)["request"] == asking.id
    assert typist.ask("requests", "compile", reference, *DORA)["request"] == asking.id
    assert typist.ask("requests", "review", reference) == typist.ask("requests", "review", asking.id)
    assert typist.ask("requests", "notices", reference)["request"] == asking.id
    assert typist.refused("requests", "decide", reference, "--grant", *DORA, code=2)["message"].startswith("access is not decided about")


def test_a_slip_in_a_reference_is_noticed(asking: Asking) -> None:
    """Nobody is to work on another request for a sign that was heard wrongly."""
    typist, reference = asking.typist, reference_of(asking)
    other = "2" if reference[-1] != "2" else "3"
    for wrong in (reference[:-1] + other, reference[:-1], "DSR-", "dsr-x"):
        assert "check sign" in typist.refused("requests", "show", wrong, code=2)["message"]
    assert "no request" in typist.refused("requests", "show", "DSR-1999" + reference[len("DSR-1999") :], code=2)["message"]
    assert "no such request" in typist.refused("requests", "show", "request-0", code=2)["message"]


def test_every_command_about_a_request_takes_the_reference() -> None:
    import typer

    from crm_compliance.cli.app import app
    from crm_compliance.cli.requests.ids import id_of

    commands = typer.main.get_command(app).commands["requests"].commands  # type: ignore[attr-defined]
    taking = {name for name, command in commands.items() for one in command.params if one.name == "request"}
    assert len(taking) == 17
    for name in taking:
        (argument,) = [one for one in commands[name].params if one.name == "request"]
        assert argument.callback is not None
        assert getattr(argument.callback, "__wrapped__", id_of) is id_of


def test_candidates_are_for_the_dpo(asking: Asking) -> None:
    """ACC-10: who may be somebody is not for everybody at the shell; an attempt in another role leaves a
    trace."""
    asking.identify()
    typist = asking.typist
    assert typist.refused("requests", "match", asking.id, *ERIK, code=5)["code"] == "role"
    assert typist.ask("requests", "match", asking.id, *DORA)["candidates"]
    typist.set(CRM_URL="https://verzonnen.crm4.dynamics.com/api/data/v9.2/")
    typist.unset("CRM_TOKEN", "CLOCK")
    assert "--role" in typist.refused("requests", "match", asking.id, code=2)["message"]
