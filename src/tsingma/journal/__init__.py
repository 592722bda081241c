"""Commands, events and the chained record of both: what the house was told and what it answered."""
