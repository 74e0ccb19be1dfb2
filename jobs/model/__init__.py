"""The nouns of the work: a plan, a run, a request, an answer."""
