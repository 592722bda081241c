"""Days that use everything a house can do, on a failing disk: wide where the plain house is deep."""
