"""State, step and sequence: the one writer that turns commands into events, deterministically."""
