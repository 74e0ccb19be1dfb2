"""The desk: settings, commands, scheduler, state store, reports, and the wiring that picks concrete
things."""
