"""The command line: what people type; parses, calls one use case, prints text or JSON."""
