"""What somebody has to look at although nothing stops for it."""


def warn_once(warnings: list[str], message: str) -> None:
    """Add a message to the warnings of a connector, unless it is among them."""
    if message not in warnings:
        warnings.append(message)
