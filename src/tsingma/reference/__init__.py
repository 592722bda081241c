"""Instruments, participants, accounts, calendars, fees and duties: rules as dated rows with their source."""
