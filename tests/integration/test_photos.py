"""A photo of somebody goes from a contact who stays for another relation, wherever it is kept (RET-20)."""

from datetime import date
from pathlib import Path

import pytest

from crm_compliance.configuration.settings import Settings
from crm_compliance.wiring.mapping import mapping_text
from tests.connectors.dynamics.residual.residual_crm import ENVIRONMENT
from tests.drivers.night import Night, night_in
from tests.yaml_files import read_yaml, yaml_text

IMAGE, PICTURE = "      image: entityimage\n", "      picture: entityimage\n"


def with_photo(*lines: str) -> str:
    """The shipped mapping with a column of files in these lines."""
    text = mapping_text(Settings())[0]
    for line in lines:
        assert text.count(line) == 1
        text = text.replace(line, line.replace("entityimage", "cf_photo"))
    return text


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    document = read_yaml(ENVIRONMENT)
    document["tables"]["contact"]["columns"]["cf_photo"] = {"type": "file", "pii": True}
    path = tmp_path / "environment.yaml"
    path.write_text(yaml_text(document), encoding="utf-8")
    return path


def test_a_photo_in_a_column_of_files_is_emptied(environment: Path, tmp_path: Path) -> None:
    """The CRM takes no update of such a column: its content goes by a request of its own."""
    with night_in(environment, tmp_path, kind=Night, mapping=with_photo(IMAGE, PICTURE)) as night:
        assert night.connector.check() == []
        photographed, other = (night.contact(cf_birthyear=1985) for _ in range(2))
        address = f"{night.emulator.url}contacts({photographed})/cf_photo"
        name = {"x-ms-file-name": "foto.png", "Content-Type": "application/octet-stream"}
        assert night.http.patch(address, data=b"verzonnen", headers=name).status_code == 204
        for contact in (photographed, other):
            night.party(contact, "reporter", dossier=night.dossier("social_card", spoken=date(2020, 1, 10)))
            night.donation(contact)
        run = night.apply(night.approved(night.plan()))
        assert run.counts["trimmed"] == 2
        row = night.get("contacts", photographed)
        assert row is not None
        assert (row["cf_photo"], row["cf_photo_name"], row["cf_birthyear"]) == (None, None, None)


def test_one_that_is_shown_and_not_emptied_is_told(environment: Path, tmp_path: Path) -> None:
    with night_in(environment, tmp_path, kind=Night, mapping=with_photo(PICTURE)) as night:
        (found,) = night.connector.check()
        assert (found.is_error, found.code) == (False, "kept")
        assert "contact.cf_photo stays as it is where a contact is emptied" in found.message
