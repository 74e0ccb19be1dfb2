"""Where a person opens a row (ACC-04)."""

from connectors.dynamics.links import row_address

ROW = "7A9D2F10-3d0a-4f11-9f8a-000d3ab1d001"


def test_a_row_opens_in_the_app_that_the_mapping_names() -> None:
    link = row_address("https://cfbe.crm4.dynamics.com", "https://apps.example.org/main.aspx?appid=1", "kt_zaak", ROW)
    assert link == f"https://apps.example.org/main.aspx?appid=1&etn=kt_zaak&id={ROW.lower()}&pagetype=entityrecord"


def test_without_an_app_a_row_opens_at_the_host_that_people_use() -> None:
    link = row_address("https://cfbe.api.crm4.dynamics.com", "", "contact", ROW)
    assert link == f"https://cfbe.crm4.dynamics.com/main.aspx?etn=contact&id={ROW.lower()}&pagetype=entityrecord"
