"""Arrays in, arrays out, no domain objects: the hot loops, each with a plain twin that is its oracle and fallback."""
