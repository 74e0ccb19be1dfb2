"""Words that are planted in every text column of a CRM."""

from datetime import date
from typing import Any

from tests.drivers.night import Night

LONG_AGO = date(2020, 1, 10)


class Planter:
    """Fills every text column that a caller may write with a word of its own."""

    def __init__(self, night: Night, first: str = "woord") -> None:
        self._night, self._first = night, first  # five letters, of which no other planter of a night has the same
        self._tables = night.emulator.emulator.tables.environment.tables
        self.words: dict[str, tuple[str, str]] = {}  # word -> table, column

    def texts(self, table: str, *but: str) -> dict[str, Any]:
        found = {}
        for column in self._tables[table].columns.values():
            is_text = column.kind in ("string", "memo") and column.writable and not column.system and column.length >= 8
            if is_text and column.name not in (*but, "documentbody", "objecttypecode", "cf_storageuri"):
                found[column.name] = word = f"{self._first}{len(self.words):03}"
                self.words[word] = (table, column.name)
        return found

    def file(self, table_set: str, row: str, column: str) -> None:
        """Fill a file column with a text."""
        word = f"{self._first}{len(self.words):03}"
        answer = self._night.http.patch(
            f"{self._night.emulator.url}{table_set}({row})/{column}",
            data=f"In dit bestand staat {word}.".encode(),
            headers={"x-ms-file-name": "scan.txt", "Content-Type": "application/octet-stream"},
        )
        assert answer.status_code == 204, answer.text
        self.words[word] = (table_set, column)

    def plant(self) -> tuple[str, str]:
        """A dossier with everything that can depend on it, and its child; gives their ids."""
        night = self._night
        child = night.contact(**self.texts("contact", "cf_nationalnumber", "address1_country"), birthdate="2000-02-01")
        dossier = night.dossier("social_card", spoken=LONG_AGO, fiches=0, **self.texts("cf_dossier"))
        fiche = night.fiche("social_card", spoken=LONG_AGO, dossier=dossier, **self.texts("cf_fiche"))
        bound = {"cf_ContactId@odata.bind": f"/contacts({child})", "cf_DossierId@odata.bind": f"/cf_dossiers({dossier})"}
        night.create("cf_parties", "cf_partyid", cf_role=100000000, **self.texts("cf_party"), **bound)
        night.recording(LONG_AGO, fiche=fiche, **self.texts("cf_recording"))
        night.note("cf_dossier", dossier, **self.texts("annotation", "mimetype"))
        for table, table_set in (("phonecall", "phonecalls"), ("email", "emails")):
            parties = [{"partyid_contact@odata.bind": f"/contacts({child})", "participationtypemask": 2} | self.texts("activityparty")]
            night.create(
                table_set,
                "activityid",
                **self.texts(table),
                **{f"{table}_activity_parties": parties, f"regardingobjectid_cf_dossier_{table}@odata.bind": f"/cf_dossiers({dossier})"},
            )
        visit = night.create("cf_visits", "cf_visitid", **self.texts("cf_visit"), **{"cf_DossierId@odata.bind": f"/cf_dossiers({dossier})"})
        night.create("cf_photos", "cf_photoid", **self.texts("cf_photo"), **{"cf_VisitId@odata.bind": f"/cf_visits({visit})"})
        return dossier, child

    def left(self) -> set[str]:
        """The words that anything in the CRM still holds."""
        database = self._night.emulator.emulator.tables.connection
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]  # history and bin among them
        text = [str(database.execute(f"SELECT * FROM {name}").fetchall()) for name in names]
        return {word for word in self.words if any(word in each for each in text)}
