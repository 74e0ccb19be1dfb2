"""A CRM in which rows leave something behind."""

from tests.connectors.dynamics.residual.residual_crm import crm, more

__all__ = ["crm", "more"]
