"""Corporate actions on equities: who is entitled to what, on settled and on pending positions, and what it comes to."""
