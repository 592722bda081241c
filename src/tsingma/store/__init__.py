"""Where journals live: SQLite by default, memory for tests; the only room that knows SQL."""
