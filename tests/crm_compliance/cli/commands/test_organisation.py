"""organisation, as it is typed: the file is written to begin with, and checked by itself (EXP-11, 7.1)."""

from __future__ import annotations

from tests.drivers.typist import Typist


def test_the_file_is_written_changed_and_checked(typist: Typist) -> None:
    typist.unset("CRM_URL", "CRM_TOKEN", "CLOCK")
    path = typist.folder / "organisation.yaml"
    shown = typist.ask("organisation", "show", "--output", path)
    assert (shown["name"], shown["languages"], shown["files"]) == ("Child Focus", ["nl", "fr", "de", "en"], [str(path)])
    text = path.read_text("utf-8").replace("name: Child Focus", "name: Het Kinderhuis (fictief)", 1)
    path.write_text(text, "utf-8")
    found = typist.ask("organisation", "check", path)
    assert (found["ok"], found["name"], found["source"]) == (True, "Het Kinderhuis (fictief)", str(path))
    assert "processors[0].name" in found["unfilled"]
    assert "answers speak for Het Kinderhuis (fictief)" in typist.type("organisation", "check", path).out
    typist.set(ORGANISATION=str(path))
    assert typist.ask("organisation", "show")["name"] == "Het Kinderhuis (fictief)"


def test_each_error_is_told_with_its_line(typist: Typist) -> None:
    path = typist.folder / "organisation.yaml"
    typist.ask("organisation", "show", "--output", path)
    path.write_text(path.read_text("utf-8").replace("authority:", "autority:", 1), "utf-8")
    refused = typist.refused("organisation", "check", path, code=3)
    assert f"{path}:" in f"{refused['where']} {refused['message']}"
    assert "autority" in refused["message"]


def test_a_file_that_is_not_there_says_how_to_get_one(typist: Typist) -> None:
    typist.set(ORGANISATION=str(typist.folder / "none.yaml"))
    assert "organisation show --output" in typist.refused("organisation", "check", code=2)["hint"]
