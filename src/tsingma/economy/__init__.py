"""Executable models of the economy around the house; what they answer is a Path, and claims with their evidence."""
