"""What a job may ask of a CRM, and of storage outside it. Jobs know connectors by this room only."""
