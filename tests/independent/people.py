"""What becomes of contacts (RET-20), in every reading that the rules allow.

Three points are left open by the text and are tried both ways; a contact may then have more than one fate:
whether an agreement that has ended keeps a contact, whether being no more than a participant or a parent in
what goes makes somebody "linked", and what is emptied of a contact to whom something other than a relation
still refers.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date

from tests.independent.civil import day_of_date
from tests.independent.evaluation import Unit, Verdict, World

TRIMMED = (
    "cf_nationalnumber",
    "birthdate",
    "cf_birthyear",
    "cf_birthmonth",
    "cf_statedage",
    "cf_statedageon",
    "cf_birthplace",
    "entityimage",
    "description",
)


@dataclass
class Fate:
    """What may become of a contact: any of `removed`, `orphan`, `trimmed`, `kept`; more than one where the
    rules allow two readings."""

    row_id: str
    ways: set[str] = field(default_factory=set)
    why: str = ""
    links: list[str] = field(default_factory=list)


class People:
    """The contacts of an organisation, once the verdicts on its units are known."""

    def __init__(self, world: World, units: dict[Unit, Verdict], day: date) -> None:
        self.world = world
        self.units = units
        self.relation: dict[str, str] = {}
        self.ended: set[str] = set()
        self._relations(day)
        self.roles: dict[str, set[Unit]] = defaultdict(set)
        self.loose_role: set[str] = set()
        for party in world.rows["cf_party"]:
            if contact := party["_cf_contactid_value"]:
                linked = world.units_of_party(party)
                self.roles[contact] |= linked
                if not linked:
                    self.loose_role.add(contact)
        self.about: dict[str, tuple[str, Unit | None]] = {}
        for table in ("phonecall", "email"):
            for row in world.rows[table]:
                self.about[row["activityid"]] = (table, world.regarding(row))
        self.takes_part: dict[str, set[str]] = defaultdict(set)
        for row in world.rows["activityparty"]:
            if row["_partyid_value"] in world.contacts:
                self.takes_part[row["_partyid_value"]].add(row["_activityid_value"])
        self.children: dict[str, set[str]] = defaultdict(set)
        for contact, row in world.contacts.items():
            if row["_parentcustomerid_value"] in world.contacts and row["_parentcustomerid_value"] != contact:  # nobody keeps themselves
                self.children[row["_parentcustomerid_value"]].add(contact)

    def _relations(self, day: date) -> None:
        rows = self.world.rows
        for table, what in (("cf_donation", "donation"), ("cf_enrolment", "enrolment")):
            for row in rows[table]:
                if row["_cf_contactid_value"]:
                    self.relation[row["_cf_contactid_value"]] = what
        for row in rows["cf_engagement"]:
            if contact := row["_cf_contactid_value"]:
                over = day_of_date(row["cf_endedon"])
                if over is None or over >= day:
                    self.relation[contact] = "engagement"
                else:
                    self.ended.add(contact)
        accounts = {row["accountid"] for row in rows["account"]}
        for contact, row in self.world.contacts.items():
            if row["cf_newsletter"]:
                self.relation[contact] = "newsletter"
            if row["_parentcustomerid_value"] in accounts:
                self.relation[contact] = "parent account"
        self.ended -= set(self.relation)

    def remains(self, unit: Unit) -> bool:
        return unit not in self.units or not self.units[unit].disposed

    def fates(self) -> dict[str, Fate]:
        found = {contact: Fate(contact) for contact in self.world.contacts}
        for agreement_keeps in (False, True):
            for mention_links in (True, False):
                staying = self.staying(agreement_keeps=agreement_keeps, mention_links=mention_links)
                for contact, fate in found.items():
                    fate.ways |= self.ways(contact, staying)
                    fate.why = fate.why or staying.get(contact, "nothing that remains refers to this contact")
                    fate.links = fate.links or self.links(contact, staying)
        return found

    def staying(self, *, agreement_keeps: bool, mention_links: bool) -> dict[str, str]:
        """Who stays and for what reason, grown from what stays in any case."""
        staying: dict[str, str] = {}
        for contact, row in self.world.contacts.items():
            if row["cf_anonymisedon"]:
                staying[contact] = "anonymised"
            elif any(self.remains(unit) for unit in self.roles[contact]):
                staying[contact] = "a role in a unit that remains"
            elif contact in self.loose_role:
                staying[contact] = "a party row"
            elif contact in self.relation:
                staying[contact] = "relation: " + self.relation[contact]
            elif any(self.activity_stays(activity, {}) for activity in self.takes_part[contact]):
                staying[contact] = "party of an activity that stays"
            elif contact in self.ended and (agreement_keeps or not self.roles[contact]):
                staying[contact] = "an agreement that has ended"
            elif not self.roles[contact] and not (mention_links and self.mentioned(contact)):
                staying[contact] = "never linked to a unit"
        grew = True
        while grew:
            grew = False
            for contact in self.world.contacts.keys() - staying.keys():
                if heir := next((c for c in sorted(self.children[contact]) if c in staying), None):
                    staying[contact] = f"parent of {heir}, who stays"
                    grew = True
                elif any(self.activity_stays(activity, staying, but=contact) for activity in self.takes_part[contact]):
                    staying[contact] = "party of an activity about a contact who stays"
                    grew = True
        return staying

    def activity_stays(self, activity: str, staying: dict[str, str], but: str = "") -> bool:
        _, about = self.about[activity]
        if about is None:
            return True
        if about[0] == "contact":
            return about[1] in staying and about[1] != but
        return self.remains(about)

    def mentioned(self, contact: str) -> bool:
        """Somebody without a role who takes part in an activity that is not about them, or is the parent of
        another contact."""
        return bool(self.children[contact]) or any(self.about[activity][1] != ("contact", contact) for activity in self.takes_part[contact])

    def ways(self, contact: str, staying: dict[str, str]) -> set[str]:
        if self.world.contacts[contact]["cf_anonymisedon"]:
            return {"kept"}
        if contact not in staying:
            return {"removed"}
        if any(self.remains(unit) for unit in self.roles[contact]) or contact in self.loose_role:
            return {"kept"}
        referred = any(c in staying for c in self.children[contact]) or any(
            self.activity_stays(activity, staying, but=contact) for activity in self.takes_part[contact]
        )
        if self.roles[contact]:  # all of its units go
            return {"trimmed"} if contact in self.relation and not referred else {"trimmed", "kept"}
        if contact in self.relation:
            return {"kept", "trimmed"} if self.mentioned(contact) else {"kept"}
        if contact in self.ended:
            return {"kept", "trimmed"} if self.mentioned(contact) else {"kept"}
        if any(self.activity_stays(activity, {}) for activity in self.takes_part[contact]):
            return {"kept"}
        return {"orphan", "kept"} if self.mentioned(contact) else {"orphan"}

    def links(self, contact: str, staying: dict[str, str]) -> list[str]:
        """All that ties a contact to something, for a person who reads a difference."""
        links = [f"role in {t} {i} ({'stays' if self.remains((t, i)) else 'goes'})" for t, i in sorted(self.roles[contact])]
        for activity in sorted(self.takes_part[contact]):
            table, about = self.about[activity]
            links.append(f"party of {table} about {about} ({'stays' if self.activity_stays(activity, staying) else 'goes'})")
        links += [f"parent of {c} ({'stays' if c in staying else 'goes'})" for c in sorted(self.children[contact])]
        if contact in self.relation:
            links.append(f"relation: {self.relation[contact]}")
        if contact in self.ended:
            links.append("an agreement that has ended")
        return links
