"""Channels by which people hear that something waits: mail, webhooks, the ping of a dead-man's switch."""
