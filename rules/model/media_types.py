"""What a file is said to be. Senders write media types in either case, and may put parameters behind them
(RFC 2045, section 5.1); what is compared is the type alone."""


def plain_type(said: str | None) -> str:
    """Return a media type in lower case without its parameters; empty where nothing is said."""
    return (said or "").partition(";")[0].strip().lower()


def is_sound(said: str | None) -> bool:
    """Return whether a file is said to be sound, in which somebody's voice may be."""
    return plain_type(said).startswith("audio/")


def is_seen_or_heard(said: str | None) -> bool:
    """Return whether a file is said to be sound or a moving picture: only a person knows what is said in
    it."""
    return is_sound(said) or plain_type(said).startswith("video/")
