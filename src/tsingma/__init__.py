"""Tsingma: an open post-trade house for Hong Kong as a hub for renminbi."""
