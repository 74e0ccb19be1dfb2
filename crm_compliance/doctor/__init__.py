"""Self-checks: everything that a night depends on, each with what to do where it is not well."""
