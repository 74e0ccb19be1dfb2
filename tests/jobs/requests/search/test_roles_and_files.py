"""Who has which role in which file, and what each file is about, from whatever was found (RGT-09, SUS-05)."""

from datetime import date
from typing import Any

from jobs.requests.search.material import Material, Mention, RowElsewhere
from jobs.requests.search.roles_and_files import Files, files_of, roles_of
from rules.model.personal_records import FullActivityParty, FullCall, FullDossier, FullFiche, FullNote, FullParty, FullRecording
from rules.rights.facts import FileFacts, RoleInFile


def party(row: str, contact: str | None = "c", role: str | None = "child", **more: Any) -> FullParty:
    return FullParty(id=row, contact=contact, role=role, **more)


def material(*rows: Any, **more: Any) -> Material:
    found = Material(**more)
    places: dict[type[Any], dict[str, Any]] = {
        FullParty: found.parties,
        FullDossier: found.dossiers,
        FullFiche: found.fiches,
        FullRecording: found.recordings,
        FullNote: found.notes,
        FullCall: found.calls,
        FullActivityParty: found.activity_parties,
    }
    for row in rows:
        places[type(row)][row.id] = row
    return found


def elsewhere_row(kind: str, row: str, **values: Any) -> RowElsewhere:
    names = {
        "party": ("contact", "dossier", "fiche", "role", "suspect_until", "authority_evidence", "authority_valid_until"),
        "dossier": ("categories",),
        "fiche": ("dossier", "categories"),
    }[kind]
    empty: dict[str, object] = {name: () if name == "categories" else None for name in names}
    return RowElsewhere("bin", kind, row, empty | values)


def test_a_role_on_a_fiche_of_a_dossier_counts_for_the_dossier() -> None:
    found = material(
        FullDossier(id="d", categories=("runaway",)),
        FullFiche(id="f", dossier="d", categories=("sexting",)),
        FullFiche(id="lone", categories=("grooming",)),
        party("1", fiche="f"),
        party("2", fiche="lone"),
        party("3", dossier="d"),
    )
    assert roles_of(found) == [RoleInFile(("dossier", "d"), "c", "child"), RoleInFile(("fiche", "lone"), "c", "child")]
    assert files_of(found) == {
        ("dossier", "d"): FileFacts(("runaway", "sexting"), frozenset({"c"})),
        ("fiche", "lone"): FileFacts(("grooming",), frozenset({"c"})),
    }


def test_a_role_on_two_files_counts_in_both() -> None:
    found = material(FullFiche(id="f"), FullDossier(id="d"), party("1", fiche="f", dossier="d"))
    assert {role.unit for role in roles_of(found)} == {("dossier", "d"), ("fiche", "f")}


def test_how_long_a_suspicion_and_an_authority_last_is_told() -> None:
    """SUS-08, RGT-08: blank evidence is none."""
    found = material(
        FullDossier(id="d"),
        party("1", "s", "suspect", dossier="d", suspect_until=date(2026, 1, 31)),
        party("2", "p", "parent", dossier="d", authority_evidence="vonnis", authority_valid_until=date(2027, 1, 1)),
        party("3", "q", "parent", dossier="d", authority_evidence="  "),
    )
    unit = ("dossier", "d")
    assert {role.contact: role for role in roles_of(found)} == {
        "s": RoleInFile(unit, "s", "suspect", suspect_until=date(2026, 1, 31)),
        "p": RoleInFile(unit, "p", "parent", has_authority=True, authority_until=date(2027, 1, 1)),
        "q": RoleInFile(unit, "q", "parent"),
    }


def test_a_role_without_a_contact_is_nobodys_and_an_empty_role_stays_empty() -> None:
    found = material(FullDossier(id="d"), party("1", None, "child", dossier="d"), party("2", role=None, dossier="d"))
    assert [(role.contact, role.role) for role in roles_of(found)] == [("c", "")]
    assert files_of(found)["dossier", "d"].children == frozenset()


def test_a_file_without_any_role_is_a_file_too() -> None:
    found = material(FullFiche(id="f", categories=("sexting",)))
    assert files_of(found) == {("fiche", "f"): FileFacts(("sexting",))}


def test_a_file_that_lies_elsewhere_counts_with_its_roles() -> None:
    rows = [elsewhere_row("dossier", "d", categories=("runaway",)), elsewhere_row("party", "1", contact="c", dossier="d", role="reporter")]
    found = material(elsewhere=rows)
    assert [(role.unit, role.role) for role in roles_of(found)] == [(("dossier", "d"), "reporter")]
    assert files_of(found)["dossier", "d"].categories == ("runaway",)


def test_a_deleted_role_in_a_file_that_stays_counts_only_as_a_suspicion() -> None:
    """SUS-05: erasing later reveals less."""
    rows = [
        elsewhere_row("party", "1", contact="c", dossier="d", role="reporter"),
        elsewhere_row("party", "2", contact="c", dossier="d", role="suspect"),
    ]
    found = material(FullDossier(id="d"), elsewhere=rows)
    assert [role.role for role in roles_of(found)] == ["suspect"]


def test_a_suspect_of_the_same_name_without_a_contact_counts_and_another_role_does_not() -> None:
    mentions = [Mention("party", "1", "name", "name", ("a", "b")), Mention("party", "2", "notes", "name", ("a",))]
    found = material(
        FullDossier(id="d"), party("1", None, "suspect", dossier="d"), party("2", None, "child", dossier="d"), mentions=mentions
    )
    assert [(role.contact, role.role) for role in roles_of(found)] == [("a", "suspect"), ("b", "suspect")]


def test_every_row_belongs_to_the_file_above_it() -> None:
    found = material(
        FullDossier(id="d"),
        FullFiche(id="f", dossier="d"),
        FullRecording(id="r", fiche="f"),
        FullNote(id="on-recording", regarding="r", regarding_kind="recording"),
        FullNote(id="on-contact", regarding="c", regarding_kind="contact"),
        FullNote(id="circle", regarding="circle", regarding_kind="note"),
        FullCall(id="call", regarding="f", regarding_kind="fiche"),
        FullActivityParty(id="taking", activity="call", party="c", party_kind="contact"),
        FullRecording(id="loose"),
    )
    files = Files(found)
    for kind, row in (("recording", "r"), ("note", "on-recording"), ("call", "call"), ("activity_party", "taking"), ("fiche", "f")):
        assert files.units_of(kind, row) == {("dossier", "d")}, (kind, row)
    for kind, row in (("note", "on-contact"), ("note", "circle"), ("recording", "loose"), ("contact", "c"), ("note", "nowhere")):
        assert files.units_of(kind, row) == set(), (kind, row)
