"""Who is at the browser: signing in and out, sessions, and what a request has to carry to change anything."""
