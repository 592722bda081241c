"""What the chain says of the first column's 28 claims: computed on the stylised table, honest about what it was told.

A sign that an assumption puts in is no evidence: such claims are not testable here, with the figure beside. What is
supported is so on a stylised table with the elasticities of the moment; a claim may fail, and is then not supported.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from tsingma.economy.chain.dividends import CHAIN_LAYERS, TRIO, layer_concentration
from tsingma.economy.chain.equilibrium import Shock
from tsingma.economy.chain.laboratory import Laboratory, Outcome
from tsingma.economy.chain.levers import Setting, share_after_entry
from tsingma.economy.chain.scenario import foreign_shares
from tsingma.economy.chain.stylised import stylised_chain
from tsingma.economy.chain.table import Float64
from tsingma.economy.chain.tiers import Market, bertrand_markup, leader_share, output_under_orders, provider_shares
from tsingma.economy.claims import Claim
from tsingma.economy.register import Finding, not_testable, register, supported

PULLS = (0.48, 1.6)  # g (h-1) below and above tipping
STIMULUS = 20.0  # billion USD
BETTER = 1.1
CHOKE_POINTS = {"hbm": "KOR", "photoresist": "JPN", "advanced_logic": "TWN", "design_tools": "USA"}


@cache
def chain_findings() -> dict[str, Finding]:
    """Return the finding of figure A2 and of each claim B1 to B28, computed once."""
    lab = Laboratory(stylised_chain())
    tests = (
        _b1, _b2, _b3, _b4, _b5, _b6, _b7, _b8, _b9, _b10, _b11, _b12, _b13, _b14, _b15, _b16, _b17, _b18, _b19, _b20,
        _b21, _b22, _b23, _b24, _b25, _b26, _b27, _b28,
    )  # fmt: skip
    return {"A2": _a2(lab)} | {f"B{number}": test(lab) for number, test in enumerate(tests, 1)}


def chain_claims() -> tuple[Claim, ...]:
    """Return figure A2 and the claims B1 to B28 whole, as the register prints them."""
    findings = chain_findings()
    return tuple(claim for claim in register(findings) if claim.id in findings)


def _spelt(values: dict[str, float], form: str = ".3f") -> str:
    return ", ".join(f"{name} {value:{form}}" for name, value in values.items())


def _a2(lab: Laboratory) -> Finding:
    table = lab.chain.table
    made = table.output.reshape(table.shape)[:, table.sector("data_centres")]
    share = {
        country: float(made[lab.chain.regions_of(country)].sum() / made.sum())
        for country in dict.fromkeys(lab.chain.country_of.values())
        if country != "ROW"
    }
    order = sorted(share, key=lambda name: -share[name])
    return supported(
        order[1] == "CHN",
        f"share of data centre capacity in 2024 {_spelt(dict(sorted(share.items(), key=lambda one: -one[1])), '.2f')}",
        "power of all data centres (IEA) stands in for intelligent compute, which no source held ranks",
    )


def _b1(lab: Laboratory) -> Finding:
    hhi = {layer: layer_concentration(lab.chain, lab.base, layer) for layer in CHAIN_LAYERS}
    rent = {layer: lab.rent_share(layer) for layer in CHAIN_LAYERS}
    return supported(
        hhi["upstream"] > hhi["midstream"] > hhi["downstream"] and rent["upstream"] > max(rent["midstream"], 0.0),
        f"HHI over countries and tiers {_spelt(hhi)}; rent over dividends {_spelt(rent)}",
        "supplier shares as cited, tiers as cited or assumed; only choke points with a known margin carry rent",
    )


def _b2(lab: Laboratory) -> Finding:
    found = lab.run(Setting(lever="home_chips", value=0.45))
    income, theil = found.real_income("CHN"), found.theil_change("CHN")
    return supported(
        income > 0 and theil > 0,
        f"home share of chips to 45 percent: China's real income {income:+.3f} percent, Theil {theil:+.4f}",
        "the rise of skill is given, that it lifts income and divergence together is found",
    )


def _b3(lab: Laboratory) -> Finding:
    found = lab.run(Setting(lever="interior_compute", value=0.1))
    before, after = lab.divergence("CHN").theil_between, found.divergence("CHN").theil_between
    return supported(
        after < before,
        f"between-region Theil of China {before:.4f} to {after:.4f} for data centres a tenth better inland",
        "dividends of the chain by head, coast and interior",
    )  # fmt: skip


def _b4(lab: Laboratory) -> Finding:
    chips = lab.chain.table.sector("hbm")
    rents = {
        count: float(
            lab.run(Setting(lever="plural_suppliers", value=count, sector="hbm")).dividends.rent[:, chips].sum()
        )
        for count in (5, 20)
    }
    base = float(lab.base.rent[:, chips].sum())
    return supported(
        rents[20] < rents[5] < base,
        f"rent of HBM {base:.1f} bn with three makers, {rents[5]:.1f} with 5, {rents[20]:.1f} with 20",
        "price competition of equal firms (Bertrand); that the HHI falls as 1/n is arithmetic",
    )  # fmt: skip


def _b5(lab: Laboratory) -> Finding:
    shares = foreign_shares(lab.chain, lab.chain.table)
    up, down = shares["CHN", "upstream"], shares["CHN", "downstream"]
    return supported(
        up > down, f"foreign share of value in China's output: upstream {up:.3f}, downstream {down:.3f}",
        "downstream is mostly devices, which are assembled from imported chips; without them it is 0.083; "
        "imports were 27.8 percent of the output of Chinese electronics in 2020 (National Bureau of Statistics)",
    )  # fmt: skip


def _b6(lab: Laboratory) -> Finding:
    small = {layer: 1.0 - lab.chain.leaders[layer] for layer in CHAIN_LAYERS}
    return not_testable(f"share of small firms {_spelt(small, '.2f')}", "tier shares are put in, from three sources")


def _b7(lab: Laboratory) -> Finding:
    table = lab.chain.table
    made = table.value_added.reshape(table.shape)
    chain = [k for layer in CHAIN_LAYERS for k in lab.chain.sectors_of(layer)]
    japan = lab.chain.regions_of("JPN")
    usual = made[np.ix_(japan, chain)].sum() / made[:, chain].sum()

    def advantage(sectors: list[int]) -> float:
        return float(made[np.ix_(japan, sectors)].sum() / made[:, sectors].sum() / usual)

    materials = advantage([table.sector("materials"), table.sector("photoresist")])
    middle, robots = advantage(lab.chain.sectors_of("midstream")), advantage([table.sector("industrial")])
    return supported(
        materials > 1 > middle,
        f"Japan's revealed advantage: materials {materials:.2f}, industrial AI {robots:.2f}, models {middle:.2f}",
        "materials and robots from cited supplier shares; the middle layer by data centre capacity, a stand-in",
    )


def _b8(_: Laboratory) -> Finding:
    rents = {f"1/{count} of the market": 1.0 - 1.0 / bertrand_markup(2.0, count) for count in (10, 3, 2)}
    ordered = list(rents.values())
    return supported(
        ordered == sorted(ordered), f"rent over sales of a firm with {_spelt(rents)}",
        "price setting: the perceived elasticity falls with the share (Atkeson and Burstein 2008)",
    )  # fmt: skip


def _b9(_: Laboratory) -> Finding:
    return not_testable("none", "neither capital nor people move between regions in this model")


def _b10(lab: Laboratory) -> Finding:
    theil = {country: lab.divergence(country).theil for country in TRIO}
    return supported(
        theil["KOR"] > theil["JPN"] > theil["CHN"], f"Theil of chain dividends by head {_spelt(theil)}",
        "Korea is first, as claimed; China comes before Japan because of the gap between coast and interior",
    )  # fmt: skip


def _b11(lab: Laboratory) -> Finding:
    losses, servers = {}, {}
    table, made = lab.chain.table, lab.chain.table.output.reshape(lab.chain.table.shape)
    place = table.sector("servers")
    for sector, country in CHOKE_POINTS.items():
        found = lab.run(Setting(lever="export_control", value=1000.0, sector=sector, sellers=(country,)))
        losses[sector] = found.real_income_without(country)
        quantity = (found.found.output[0, :, place] / found.found.cost[0, :, place]).sum()
        servers[sector] = 100.0 * float(quantity / made[:, place].sum() - 1.0)
    worst = min(losses, key=lambda name: losses[name])
    return supported(
        worst == "hbm",
        f"real income abroad when exports stop, percent: {_spelt(losses)}; servers made: {_spelt(servers, '.1f')}",
        f"servers do hang on Korean memory, but {worst} costs the world more",
    )


def _b12(_: Laboratory) -> Finding:
    tight, loose = (output_under_orders(0.3, 1.0, orders) for orders in (1.02, 9.0))
    return not_testable(
        f"a subsidy of 30 percent: output {tight:.2f} of base with orders at 1.02, {loose:.2f} without a limit",
        "that orders bind is put in; no order books of Korean start-ups are held",
    )


def _b13(lab: Laboratory) -> Finding:
    sizes = {layer: lab.chain.markets[layer].amplification for layer in CHAIN_LAYERS}
    return not_testable(
        f"amplification {_spelt(sizes, '.2f')}", "the feedback of use by layer is assumed, not measured"
    )


def _b14(_: Laboratory) -> Finding:
    quality, start = np.array([1.0, 1.3]), np.array([0.9, 0.1])
    shares = {
        f"pull {pull:g}": float(provider_shares(Market(elasticity=3.0, feedback=pull / 2.0), quality, start)[1])
        for pull in PULLS
    }
    below, above = shares.values()
    return supported(
        above < 0.01 < 0.5 < below,
        f"share of an entrant with 1.3 times the quality against 90 percent of users: {_spelt(shares)}",
        "above tipping the better entrant loses; whether the market has tipped is not known",
    )


def _b15(lab: Laboratory) -> Finding:
    found = lab.run(Setting(lever="open_source", value=0.5))
    hhi = [layer_concentration(lab.chain, one, "midstream") for one in (lab.base, found.dividends)]
    within = {
        country: found.divergence(country).theil_within - lab.divergence(country).theil_within for country in TRIO
    }
    return supported(
        hhi[1] < hhi[0] and max(within.values()) < 0,
        f"half of the use effect shared: HHI of the middle layer {hhi[0]:.4f} to {hhi[1]:.4f}, Theil within "
        f"{_spelt(within, '+.4f')}",
        "most of the fall comes from cheaper set-up for small firms downstream, whose size is assumed",
    )


def _b16(_: Laboratory) -> Finding:
    return not_testable("none", "the model has one kind of labour in each region and no skill premium")


def _b17(lab: Laboratory) -> Finding:
    group = lab.chain.adoption.group
    gaps = [
        group("core", "leaders", extra_cost=0.25 * cost).ceiling - group("core", "small", extra_cost=cost).ceiling
        for cost in (0.0, 0.3)
    ]
    return not_testable(
        f"adoption gap of the tiers {gaps[0]:.3f} to {gaps[1]:.3f} for a filing cost of 0.3 on small firms",
        "that the rules weigh four times as much on small firms is put in",
    )


def _b18(lab: Laboratory) -> Finding:
    share, market = lab.chain.leaders["midstream"], lab.chain.markets["midstream"]
    tipped = share_after_entry(Market(elasticity=2.0, feedback=PULLS[1]), 0.9, 2.0)
    loose = leader_share(share, market, market, -float(np.log(2.0)))
    return not_testable(
        f"twice the entrants: leaders keep {tipped:.3f} at a pull of {PULLS[1]}, fall from {share:.2f} to "
        f"{loose:.2f} at {market.pull:.1f}",
        "holds where use has tipped the market; the pull is not measured",
    )


def _mean_theil(found: Outcome) -> float:
    return float(np.mean([found.theil_change(country) for country in TRIO]))


def _b19(lab: Laboratory) -> Finding:
    change = {
        layer: _mean_theil(lab.demand(lab.chain.sectors_of(layer), STIMULUS)) for layer in CHAIN_LAYERS
    }  # fmt: skip
    return supported(
        min(change, key=lambda name: change[name]) == "downstream" and change["downstream"] < 0,
        f"{STIMULUS:g} bn of final demand: mean Theil of the three {_spelt(change, '+.5f')}",
        "the same money turned to each layer, tiers unchanged",
    )


def _b20(lab: Laboratory) -> Finding:
    change = {
        f"+{value:g}": _mean_theil(lab.run(Setting(lever="full_adoption", value=value))) for value in (0.1, 0.3, 0.6)
    }
    values = list(change.values())
    return supported(
        values == sorted(values, reverse=True) and values[0] < 0,
        f"mean Theil of the three by benefit of adoption {_spelt(change, '+.4f')}",
        "small firms have most left to adopt, given their assumed cost",
    )


def _b21(lab: Laboratory) -> Finding:
    table = lab.chain.table
    made = table.output.reshape(table.shape)
    chain = [k for layer in CHAIN_LAYERS for k in lab.chain.sectors_of(layer)]
    world = made[:, chain].sum(axis=0)
    count = {
        part: [int((made[np.ix_(lab.chain.regions_of(one), chain)].sum(axis=0) > part * world).sum()) for one in TRIO]
        for part in (0.01, 0.03, 0.05, 0.1)
    }
    shown = "; ".join(f"{part:.0%}: {', '.join(map(str, found))}" for part, found in count.items())
    return supported(
        all(found[0] > max(found[1:]) for found in count.values()),
        f"of {len(chain)} sectors of the chain, how many CHN, JPN, KOR make more than a part of world output: {shown}",
        "China leads by weight, but ties with Japan or Korea where a small presence counts; use by sector is not held",
    )


def _b22(lab: Laboratory) -> Finding:
    group = lab.chain.adoption.group
    depth = {
        f"{zone} {tier}": group(zone, tier).ceiling for zone in ("core", "periphery") for tier in ("leaders", "small")
    }
    return not_testable(f"adoption in the end {_spelt(depth, '.2f')}", "costs by size and place are assumed")


def _b23(lab: Laboratory) -> Finding:
    table = lab.chain.table
    made = table.output.reshape(table.shape)[:, table.sector("industrial")]
    share = made[lab.chain.regions_of("JPN")].sum() / made.sum()
    return supported(
        share > 0.5, f"Japan {share:.0%} of world production of industrial robots (IFR 2025), 52 percent in 2016",
        "the largest share, less than half and falling; the high end alone is not measured",
    )  # fmt: skip


def _b24(_: Laboratory) -> Finding:
    return not_testable("none", "population and labour shortage are not in the model")


def _b25(lab: Laboratory) -> Finding:
    share = lab.chain.leaders["downstream"]
    return not_testable(f"leaders {share:.2f} of downstream dividends, in Korea as elsewhere", "tier shares are put in")


def _b26(lab: Laboratory) -> Finding:
    found = lab.run(Setting(lever="trilateral_opening", value=0.9))
    income = {country: found.real_income(country) for country in TRIO}
    gap = {country: found.divergence(country).k for country in TRIO}
    theil = {country: found.theil_change(country) for country in TRIO}
    return supported(
        min(income.values()) > 0 and max(gap.values()) < 0,
        f"trade cost down a tenth: real income {_spelt(income, '+.3f')} percent; K {_spelt(gap, '+.4f')}; Theil "
        f"{_spelt(theil, '+.4f')}",
        "all three gain, but the gain goes to the upper arm where the chain's leaders and plants already are",
    )


def _b27(lab: Laboratory) -> Finding:
    change = {
        f"{layer} {country}": found.theil_change(country)
        for layer in CHAIN_LAYERS
        for found in (lab.better(lab.chain.sectors_of(layer), BETTER),)
        for country in TRIO
    }
    return supported(
        min(change.values()) < 0 < max(change.values()),
        f"productivity of a layer up a tenth everywhere, levers neutral: Theil {_spelt(change, '+.4f')}",
        "the sign depends on where and in whom, not on the technology alone",
    )


def _b28(lab: Laboratory) -> Finding:
    found = lab.shock(Shock(taste=_upstream_taste(lab)))
    pairs = {
        "downstream over upstream": (lab.parts(layer="downstream"), lab.parts(layer="upstream")),
        "periphery over core": (lab.parts(zone="periphery"), lab.parts(zone="core")),
        "small over leaders": (lab.parts(tier=1, countries=TRIO), lab.parts(tier=0, countries=TRIO)),
    }
    ratio = {name: found.growth(one) / found.growth(other) for name, (one, other) in pairs.items()}
    return supported(
        min(ratio.values()) > 0, f"demand for upstream goods up a tenth: growth of dividends {_spelt(ratio, '+.2f')}",
        "1 is full pass-through, below 0 the dividend is taken from the others",
    )  # fmt: skip


def _upstream_taste(lab: Laboratory) -> Float64:
    taste = np.ones(lab.chain.table.shape)
    taste[:, lab.chain.sectors_of("upstream")] = BETTER
    return taste
