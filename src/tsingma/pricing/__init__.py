"""What an instrument is worth, now and under a scenario."""
