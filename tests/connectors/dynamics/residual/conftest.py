"""A CRM in which rows leave something behind."""

from tests.connectors.dynamics.residual.traces import crm, more

__all__ = ["crm", "more"]
