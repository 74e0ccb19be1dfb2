"""The outside world: what a job may ask of a CRM, Dynamics over HTTP, and the emulator. Client and emulator
share no code."""
