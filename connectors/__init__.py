"""The outside world: what a job may ask of a CRM, Dynamics over HTTP, and an emulator that shares no code
with the client."""
