"""Which invented names live off which layer of the AI value chain: every fifth equity, layer by layer. Invented."""

from __future__ import annotations

from tsingma.reference.book import InstrumentKind, Market, ReferenceBook

LAYERS = ("CHN.upstream", "CHN.midstream", "CHN.downstream")
EVERY = 5
PART = 0.7


def invented_layers(book: ReferenceBook) -> tuple[tuple[str, str, float], ...]:
    """Return (counter, layer, part of one) of the Hong Kong equities that are given a layer, in order of listing."""
    names = [
        counter.code
        for counter in book.counters
        if counter.kind is InstrumentKind.EQUITY and counter.market == Market.XHKG and counter.settlement_counter
    ]
    return tuple((code, LAYERS[place % len(LAYERS)], PART) for place, code in enumerate(names[::EVERY]))
