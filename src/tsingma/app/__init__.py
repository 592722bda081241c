"""Use cases: what a person asks for, wired from the rooms below; shared by command line and programming interface."""
