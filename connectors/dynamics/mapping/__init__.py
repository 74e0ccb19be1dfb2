"""Which table and column of an organisation holds which field of our records; pure."""
