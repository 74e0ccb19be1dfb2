"""What a job may ask of a CRM, and of storage outside it: jobs know connectors by this room only."""
