"""A night whose recordings have their content in a storage."""

from tests.jobs.residual.outside import reaching, storage

__all__ = ["reaching", "storage"]
