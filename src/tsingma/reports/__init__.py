"""Statements and reports of the house: figures in, HTML, plain text and CSV out; nothing here computes a balance."""
