"""ISO 20022 messages both ways: schemas at the border, usage rules on top, one codec a message."""
