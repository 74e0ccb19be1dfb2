"""The blob service."""

from __future__ import annotations

from tests.azurite import blob_service, container, service

__all__ = ["blob_service", "container", "service"]
