"""The review of an answer item by item, and the preview of its package as the person will see it."""
