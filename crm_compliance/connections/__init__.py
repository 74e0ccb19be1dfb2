"""What the settings name outside: the tokens for the CRM, the object and document stores."""
