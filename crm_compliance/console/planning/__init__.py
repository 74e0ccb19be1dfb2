"""A plan that somebody makes from a page, in a process of its own: pages go on meanwhile."""
