"""The books: accounts, postings, holds and pledges, with the invariants that keep them true."""
