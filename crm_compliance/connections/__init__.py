"""What the settings name outside: the tokens for the CRM, the object and document stores, the workers on
parts of a plan."""
