"""A plan from its first line to its approval, and what explains one."""
