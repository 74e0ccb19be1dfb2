"""Civil dates: periods, ages, working days, and the time zone in which a day is one."""
