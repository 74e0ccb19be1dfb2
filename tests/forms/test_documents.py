"""The organisation with deep tables has the documents of each dossier in SharePoint: they go with those that
go, past the bin, the others stay, and who asks is told of their own."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from ruamel.yaml import YAML

from tests.connectors.storage.sharepoint import LIBRARY, SITE, Library
from tests.forms.comparing import story_of
from tests.forms.facts import plant
from tests.forms.form import REFERENCE
from tests.forms.form_deep import FORM
from tests.forms.house import House, house
from tests.forms.rows import Schema
from tests.in_process import emulators_in_process

pytestmark = pytest.mark.timeout(900)
LOCATION = "sharepointdocumentlocation"
NAMES = ("verslag.txt", "bijlagen/brief.txt")


def with_sharepoint(folder: Path) -> Schema:
    """The tables of the form and the two that say where documents are."""
    document: dict[str, Any] = YAML(typ="safe").load(FORM.schema.file)
    text = {"type": "string(400)"}
    columns: dict[str, dict[str, Any]] = {
        "sharepointsite": {"absoluteurl": text, "relativeurl": text, "parentsite": {"type": "lookup sharepointsite"}},
        LOCATION: {
            "relativeurl": text,
            "absoluteurl": text,
            "parentsiteorlocation": {"type": f"lookup sharepointsite|{LOCATION}"},
            "regardingobjectid": {"type": "lookup di_dossier|di_fiche"},
        },
    }
    for table, more in columns.items():
        own = {f"{table}id": {"type": "guid", "key": True}, "name": {"type": "string(160)", "primary_name": True}}
        document["tables"][table] = {"set": f"{table}s", "columns": own | more}
    document["relationships"] += [
        {"name": f"{owner}_locations", "parent": owner, "child": LOCATION, "column": "regardingobjectid", "on_delete": "cascade"}
        for owner in ("di_dossier", "di_fiche")
    ]
    file = folder / "environment.yaml"
    with file.open("w", encoding="utf-8") as out:
        YAML().dump(document, out)
    return Schema(file)


def shelve(here: House, dossiers: list[str]) -> dict[str, str]:
    """Put two documents into a folder of each dossier, each with a word that stands nowhere else; by path."""
    site, root = str(uuid4()), str(uuid4())
    rows: list[tuple[str, dict[str, Any]]] = [
        ("sharepointsite", {"sharepointsiteid": site, "name": "Standaard", "absoluteurl": SITE}),
        (LOCATION, {f"{LOCATION}id": root, "name": LIBRARY, "relativeurl": LIBRARY, "parentsiteorlocation": ("sharepointsite", site)}),
    ]
    library, words = Library(here.emulator), dict[str, str]()
    for number, dossier in enumerate(dossiers):
        about = {"parentsiteorlocation": (LOCATION, root), "regardingobjectid": ("di_dossier", dossier)}
        rows.append((LOCATION, {f"{LOCATION}id": str(uuid4()), "name": "Documenten", "relativeurl": f"D-{number}", **about}))
        for name in NAMES:
            path = f"D-{number}/{name}"
            words[path] = f"plaatswoord{len(words):05}x"
            library.put(path, f"Een tekst met {words[path]} erin (fictief).".encode())
    here.emulator.load(rows)
    return words


def test_documents_go_with_their_dossiers_and_are_told(tmp_path: Path) -> None:
    """ERA-12, ERA-15, EXP-03, EXP-06."""
    with emulators_in_process():
        with house(tmp_path / "facts", REFERENCE) as here:
            facts, rows = plant(here.api, here.folder / "objects"), here.rows()
        made = FORM.translate(rows)
        places = {row.id: row.key for row in made}
        with house(tmp_path / "deep", with_sharepoint(tmp_path), MAPPING=str(FORM.mapping), SHAREPOINT_SITES=SITE) as here:
            here.settings["GRAPH_URL"] = f"{here.emulator.root}/v1.0"
            here.load(made)
            dossiers = [row.id for row in made if row.table == "di_dossier"]
            words = shelve(here, dossiers)
            holds = [replace(hold, table=places[hold.id][0]) for hold in facts.holds]
            data_map = here.ask("datamap", code=None)
            story = story_of(here, {"child": facts.askers["child"]}, holds)
            there = {row.id for row in story.after if row.table == "di_dossier"}
            staying = {f"D-{number}/{name}" for number, dossier in enumerate(dossiers) if dossier in there for name in NAMES}
            library = Library(here.emulator)
            assert (library.files, library.binned) == (staying, [])
    assert story.run["state"] == "done"
    assert 0 < len(staying) < len(words)
    assert story.run["documents"] == len(words) - len(staying)
    assert sum(each["objects"].get("documents", 0) for each in story.certificates) == len(words) - len(staying)
    assert [word for path, word in words.items() if path not in staying and word in story.left] == []
    assert [(row["table"], row["column"], row["why"]) for row in data_map if row["fate"] == "unaccounted" and row["rows"]] == []
    (own,) = {row.links["di_dossierid"][1] for row in made if row.links.get("di_contactid", ("", ""))[1] == facts.askers["child"].contact}
    folder = f"D-{dossiers.index(own)}/"
    told = json.dumps(story.items["child"], ensure_ascii=False)
    assert {path for path, word in words.items() if word in told} == {path for path in words if path.startswith(folder)}
