"""A client whose writes go by jobs of the CRM."""

from tests.connectors.dynamics.bulk_delete.by_jobs import crm, emulator, make

__all__ = ["crm", "emulator", "make"]
