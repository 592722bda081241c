"""Files and messages, both ways: CSV and CCASS-like files, risk parameter files, ISO 20022."""
