"""What a page says once, after something was done."""

from typing import Final

NOTES: Final = {
    "signed_out": "You are signed out.",
    "signed_out_here": (
        "You are signed out here. With the organisation's own sign-in you may not be: on a device that others use too, sign out there "
        "as well."
    ),
    "session_over": "Your session had ended, and what you sent was not taken. Sign in, and send it again.",
    "session_kept": (
        "Your session had ended, and nothing of what you sent was carried out. Sign in again: the form waits for you as you "
        "had filled it in."
    ),
    "session_ended": "Your session has ended. Sign in again to go on.",
    "saved": "Saved.",
    "sent_before": "This form had been sent already. This is what came of it.",
    "plan_approved": "Your approval is recorded.",
    "plan_rejected": "The plan is rejected.",
    "plan_begun": "The plan has been begun. This page says when it is there.",
    "hold_placed": "The hold is placed, and in force from now on.",
    "hold_placed_by_dossiers": (
        "The hold is placed, and in force from now on. Rows of this table have no category of their own: each is held by those of "
        "its dossier, and where nothing says any in doubt."
    ),
    "hold_released": "The hold is lifted.",
    "quarantine_kept": "The unit stays as many days again, and is marked afresh then.",
    "stopped": "Everything is stopped: nothing is applied until it is lifted.",
    "resumed": "The stop is lifted.",
    "request_opened": "The request is registered, and keeps from now on what may be about the person.",
    "request_opened_only": "The receipt is registered. What it keeps could not be looked up yet; the next night does it.",
    "request_moved": "Recorded.",
    "request_undone": "Recorded. Some of what had been decided on the answer has to be decided again.",
    "request_word_given": "Your approval is recorded. Once two people have set the rule aside, compile the answer again.",
    "request_searched": "The search is done.",
    "request_confirmed": "It is recorded who the person is.",
    "request_compiled": "The answer is compiled.",
    "request_approved": "You have approved the content. A second person releases it.",
    "request_released": "The answer is released. Hand over the link and the passphrase, each in its own way.",
    "request_handed_over": "The passphrase and the message are removed from here.",
    "request_decided": "The decision is recorded.",
    "request_told": "It is recorded how it ended with this recipient.",
    "request_closed": "The request is closed.",
    "request_called_back": "What had not been done is not done any more. What was done stays done.",
    "request_misdelivered": "The link is dead. The authority is to be told within 72 hours.",
}
