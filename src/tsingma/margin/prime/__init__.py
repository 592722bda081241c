"""PRiME: margin of HKCC futures and options and SEOCH stock options by sixteen scenarios (SPAN-compatible)."""
