"""The picture of the data map: cases and people on the left, what leads to them further right."""

from crm_compliance.reports.data_map import picture
from rules.model.data_map import DataMap, Fate, MapPlace, Tie

MAPPED = {
    "contact": "tables.contact",
    "incident": "tables.dossier where casetypecode is 2; others are out of scope",
    "phonecall": "tables.fiche where th_aard is 1; others are out of scope, tables.call where th_aard is 2; others are out of scope",
    "th_bezoek": "dependent.th_bezoek",
    "th_waarneming": "dependent.th_waarneming",
}
TIES = (
    Tie("incident", "customerid", "contact", "Cascade"),
    Tie("phonecall", "regardingobjectid", "incident", "Cascade"),
    Tie("th_bezoek", "th_zaakid", "incident", "RemoveLink"),
    Tie("th_waarneming", "th_bezoekid", "th_bezoek", "Cascade"),
)


def test_a_table_of_which_some_rows_are_dossiers_is_on_the_left() -> None:
    places = tuple(MapPlace(name, None, name, 3, Fate.MAPPED, why) for name, why in MAPPED.items())
    drawn = picture(DataMap(places, TIES))
    columns = {box.place.table: box.x for box in drawn.boxes}
    assert columns["contact"] == columns["incident"] == 0
    assert 0 < columns["phonecall"] == columns["th_bezoek"] < columns["th_waarneming"]
    assert {told for *_, told in drawn.lines} == {f"{tie.child}.{tie.column} > {tie.parent}" for tie in TIES[1:]}
