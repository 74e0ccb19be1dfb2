"""Activities that no kind of the mapping reads, and files on e-mails: whether this CRM has any. A letter need
not point to a unit or person: whom it is about may stand in its participants alone, so all rows count and
not those that a relationship leads from. Source: EXP-03, SUS-04."""

from connectors.dynamics.http.query import literal
from connectors.dynamics.mapping.mapping import Mapping
from connectors.dynamics.schema.metadata import Metadata
from connectors.dynamics.schema.role_places import ACTIVITY_ID
from connectors.dynamics.schema.unmapped_tables import Directory, NotOffered
from connectors.interface.errors import ConnectorError

POINTER = "activitypointer"  # all activities of all tables, as the platform shows them in one
EMAIL_FILES = "activitymimeattachment"


class Activities:
    """The activities of one CRM; what cannot be seen in full counts as being there."""

    def __init__(self, mapping: Mapping, metadata: Metadata, directory: Directory) -> None:
        self._mapping, self._metadata, self._directory = mapping, metadata, directory

    def has_others(self) -> bool:
        """Return whether there may be activities of tables that are not mapped. Raises ConnectorError: it
        cannot be determined now."""
        return self._may_have(POINTER, " and ".join(f"activitytypecode ne {literal(name)}" for name in self._mapped()))

    def has_email_files(self) -> bool:
        """Return whether there may be files on e-mails that no kind holds. Raises ConnectorError: it cannot
        be determined now."""
        return not self._mapping.named(EMAIL_FILES) and self._may_have(EMAIL_FILES, "")

    def _may_have(self, name: str, condition: str) -> bool:
        table = self._directory.table(name)
        if table is None:
            return False
        # Only where an activity is mapped is the account certain to see those of everybody: one privilege is
        # for all of them, and it is checked.
        if not self._mapped():
            return True
        try:
            return not self._directory.is_empty(table, condition)
        except NotOffered:
            return True
        except ConnectorError as failure:
            if failure.status == 400:  # it does not take the condition
                return True
            raise

    def _mapped(self) -> list[str]:
        names = dict.fromkeys(table.name for table in self._mapping.tables)
        return [name for name in names if (found := self._metadata.table(name)) is not None and found.primary_id == ACTIVITY_ID]
