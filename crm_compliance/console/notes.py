"""What a page says once, after something was done."""

from typing import Final

NOTES: Final = {
    "signed_out": "You are signed out.",
    "saved": "Saved.",
    "plan_approved": "Your approval is recorded.",
    "plan_rejected": "The plan is rejected.",
    "hold_placed": "The hold is placed, and in force from now on.",
    "hold_released": "The hold is released.",
    "stopped": "Everything is stopped: nothing is applied until it is lifted.",
    "resumed": "The stop is lifted.",
}
