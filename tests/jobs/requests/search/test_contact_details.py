"""By which numbers and addresses rows say whose they are."""

from jobs.requests.search.contact_details import emails_on, numbers_on, phones_on
from rules.model.kinds import with_further
from rules.model.personal_records import FullContact, FullDossier, FullEmail, FullFiche
from rules.model.records import dependent_record


def test_a_number_of_a_file_is_no_telephone_number() -> None:
    fiche = FullFiche(id="f", number="021234567", caller_number="0470 12 34 56", caller_email="Jan@Example.be")
    dossier = FullDossier(id="d", number="021234568")
    assert numbers_on([fiche, dossier], "BE") == {"+32470123456", "jan@example.be"}


def test_who_an_email_was_sent_to_did_not_write_it() -> None:
    sent = FullEmail(id="e", sender="jan@example.be", recipients="an@example.be")
    assert (emails_on([sent]), phones_on([sent])) == (["jan@example.be"], [])


def test_a_row_with_texts_of_the_organisations_own_has_the_details_of_its_kind() -> None:
    wider = with_further("contact", ("cf_remark",)).full
    assert phones_on([wider(id="c", phone="02 1", mobile="0470 1")]) == ["02 1", "0470 1"]  # type: ignore[call-arg]
    assert phones_on([FullContact(id="c"), dependent_record("cf_visit")(id="v")]) == []
