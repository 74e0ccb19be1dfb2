"""The blob service."""

from tests.azurite import blob_service, container, service

__all__ = ["blob_service", "container", "service"]
