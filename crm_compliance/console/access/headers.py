"""The headers of pages: nothing from elsewhere, in nobody's frame, kept by no cache."""

from typing import Final

PAGE: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        )
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def saved_as(name: str) -> dict[str, str]:
    """Return the headers of a file that the browser stores under a name of ours."""
    return {**PAGE, "Content-Disposition": f'attachment; filename="{name}"'}
