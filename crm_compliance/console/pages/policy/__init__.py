"""The retention schedule: in force, its versions side by side, and what another one would do."""
