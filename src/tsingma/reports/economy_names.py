"""Names of what the economy's briefs show, in English and Traditional Chinese: countries, layers, indicators, causes.

A name that is not listed (a country of a real table, a column of someone's file) is shown as it is.
"""

from __future__ import annotations

import re

_NAMES = {
    "CHN": ("China", "中國內地"),
    "JPN": ("Japan", "日本"),
    "KOR": ("Korea", "韓國"),
    "TWN": ("Taiwan", "台灣"),
    "USA": ("United States", "美國"),
    "ROW": ("Rest of world", "其他地區"),
    "RoW": ("Rest of world", "其他地區"),
    "EU": ("EU", "歐盟"),
    "DEU": ("Germany", "德國"),
    "GBR": ("United Kingdom", "英國"),
    "FRA": ("France", "法國"),
    "IND": ("India", "印度"),
    "upstream": ("Upstream", "上游"),
    "midstream": ("Midstream", "中游"),
    "downstream": ("Downstream", "下游"),
    "rest": ("Rest of the economy", "其餘經濟"),
    "final": ("Final use", "最終使用"),
    "core": ("Core", "核心地帶"),
    "periphery": ("Periphery", "外圍地帶"),
    "whole": ("Whole country", "全國"),
    "leaders": ("Leaders", "龍頭企業"),
    "small": ("Small firms", "中小企業"),
    "materials": ("materials", "材料"),
    "foundry": ("foundry", "晶圓代工"),
    "chips": ("chips", "晶片"),
    "servers": ("servers", "伺服器"),
    "data_centres": ("data centres", "數據中心"),
    "models": ("models", "模型"),
    "platforms": ("platforms", "平台"),
    "consumer": ("consumer services", "消費應用"),
    "industrial": ("industrial use", "工業應用"),
    "public": ("public services", "公共服務"),
    "photoresist": ("photoresist", "光刻膠"),
    "advanced_logic": ("advanced logic", "先進邏輯晶片"),
    "hbm": ("high-bandwidth memory", "高頻寬記憶體"),
    "design_tools": ("design tools", "設計工具"),
    "home_price.RVD": ("Home prices (RVD)", "住宅售價指數（差估署）"),
    "home_rent.RVD": ("Home rents (RVD)", "住宅租金指數（差估署）"),
    "equity.HSI": ("Hang Seng Index", "恒生指數"),
    "rate.HIBOR_1M": ("HIBOR, one month", "一個月銀行同業拆息"),
    "volume.home_sales": ("Agreements for homes, a month", "住宅買賣合約，每月宗數"),
    "housing.stock": ("Stock of homes", "住宅總存量"),
    "housing.vacancy": ("Vacancy of homes", "住宅空置率"),
    "flow.southbound": ("Southbound flow", "南下資金流量"),
    "flow.mainland_buying": ("Mainland buying of homes", "內地買家置業"),
    "gap.six_months": ("Homes against stocks, six months", "樓價與股價六個月變動之差"),
    "share.payments": ("Share of payments", "支付份額"),
    "share.trade_finance": ("Share of trade finance", "貿易融資份額"),
    "share.reserves": ("Share of reserves", "外匯儲備份額"),
    "share.deposits": ("Share of deposits", "存款份額"),
    "share.bonds": ("Share of bonds", "債券份額"),
    "share.fx": ("Share of foreign exchange turnover", "外匯成交份額"),
    "pool.deposits": ("Deposits of the offshore pool", "離岸資金池存款"),
    "pool.loans": ("Loans of the offshore pool", "離岸資金池貸款"),
    "pool.facility_drawn": ("RMB Business Facility drawn", "人民幣業務資金安排已用額"),
    "pool.refused": ("Payments that found no money", "未能支付的人民幣款項"),
    "pool.southbound": ("Southbound money into the pool", "南下資金流入資金池"),
    "pool.facility_quota": ("Quota of the RMB Business Facility", "人民幣業務資金安排額度"),
    "rate.CNH": ("Offshore renminbi funding rate", "離岸人民幣拆息"),
    "rate.dollar": ("Dollar rate", "美元利率"),
    "fx.USDCNH": ("Dollar against offshore renminbi", "美元兌離岸人民幣"),
    "fx.expected_fall": ("Expected fall of the renminbi", "市場預期人民幣跌幅"),
    "housing.completions": ("Completions of homes", "住宅落成量"),
    "housing.households": ("Households", "住戶數目"),
    "swap_lines": ("Swap lines", "貨幣互換協議"),
    "clearing_banks": ("Clearing banks", "清算行"),
    "links": ("Links", "互聯互通"),
    "dual_counters": ("Dual counters", "雙櫃台"),
    "duty_waiver": ("Duty waiver", "印花稅減免"),
    "product_depth": ("Depth of products", "產品深度"),
    "tokenised_issuance": ("Tokenised issuance", "代幣化發行"),
    "sovereign_issuance": ("Sovereign issuance", "主權發行"),
    "futures_hedging": ("Hedging with futures", "期貨對沖"),
    "capital_controls": ("Capital controls", "資本管制"),
    "conversion_limits": ("Limits on conversion", "兌換限額"),
    "duty": ("Stamp duty", "印花稅"),
    "index level": ("index level", "指數"),
    "ratio to base": ("ratio to base", "相對基期"),
    "quote currency for one of the base currency": ("renminbi for one dollar", "每一美元兌人民幣"),
    "share of one": ("%", "%"),
    "count a period": ("number", "數目"),
    "percent": ("%", "%"),
    "percent a year": ("% a year", "年率，%"),
    "log change a period": ("log points × 100", "對數點×100"),
    "billion CNY": ("billion CNY", "十億元人民幣"),
    "billion HKD": ("billion HKD", "十億港元"),
    "billion USD": ("billion USD", "十億美元"),
    "million USD": ("million USD", "百萬美元"),
    "CNY bn a month": ("CNY bn a month", "每月十億元人民幣"),
    "CNY bn": ("CNY bn", "十億元人民幣"),
    "homes a month": ("homes a month", "每月單位數"),
    "points a year": ("points a year", "年率百分點"),
    "percent, up is a weaker renminbi": ("%, up is a weaker renminbi", "%，升即人民幣轉弱"),
    "points a month the market expects": ("points a month, expected", "市場預期每月百分點"),
    "points of agreements": ("points of agreements", "佔合約的百分點"),
    "trade cost, times": ("trade cost, times", "貿易成本，倍"),
    "productivity, times": ("productivity, times", "生產力，倍"),
    "productivity of data centres, part added": ("productivity of data centres, part added", "數據中心生產力，增幅"),
    "share of purchases": ("share of purchases", "佔採購份額"),
    "firms": ("firms", "企業數目"),
    "part of use effect shared": ("part of use effect shared", "共享的使用效應份額"),
    "cost a year of a small firm, in the unit of the benefit": (
        "cost a year of a small firm, in the unit of the benefit",
        "中小企業每年成本（以效益單位計）",
    ),
    "part of cost": ("part of cost", "佔成本份額"),
    "part of entry cost cut": ("part of entry cost cut", "准入成本減幅"),
    "benefit added": ("benefit added", "新增效益"),
    "weight, times": ("weight, times", "權重，倍"),
    "points of turnover": ("points of turnover", "佔成交的百分點"),
}

_SAID = {
    "renminbi": "境外人民幣模型",
    "property": "股市與樓市模型",
    "exact-hat equilibrium with wedges": "帶楔子的精確帽代數一般均衡",
    "stylised AI value chain 2025": "2025年人工智能價值鏈風格化數據表",
    "stylised, balanced by RAS from cited figures": "風格化數據表，按引用數字以RAS法平衡",
    "least squares on public series to June 2026; flows and supply assumed (property_model.toml)": (
        "以截至2026年6月的公開數據作最小平方估計；資金流及供應屬假設"
    ),
    "inertia from published regressions, starts from SWIFT, COFER and HKMA; sizes of levers assumed": (
        "慣性取自已發表的迴歸，起點取自SWIFT、COFER及金管局；措施幅度屬假設"
    ),
    "reference/data/property_model.toml": "隨附參數表property_model.toml",
    "reference/data/renminbi.toml": "隨附參數表renminbi.toml",
    "elasticities, tiers and layers as the layer file says": "彈性、企業層級及環節按環節檔設定",
    "Makers of high-bandwidth memory in Korea lose 95 % of their productivity for good; in days, all capacity for "
    "30 days and a recovery of 60.": "韓國高頻寬記憶體廠永久失去95%生產力；按日計，全部產能停頓30日，其後60日恢復。",
    "Trade cost among the three down by a tenth in every sector of the chain.": (
        "三方之間價值鏈各行業的貿易成本下降一成。"
    ),
    "Final demand for AI servers halves and for data centres falls by three tenths; what is saved is spent on the "
    "rest.": "人工智能伺服器的最終需求減半，數據中心的減三成；節省的開支用於其餘經濟。",
    "Trade cost of American design tools to China a thousandfold; in days, no deliveries for 180 days.": (
        "美國設計工具輸往中國內地的貿易成本升至一千倍；按日計，180日不交貨。"
    ),
    "As in July 2019, but whole: trade cost a thousandfold from Japan to Korea; in days, no deliveries for 90 days.": (
        "重演2019年7月，但屬全面禁運：日本輸往韓國的貿易成本升至一千倍；按日計，90日不交貨。"
    ),
    "none drawn": "沒有抽樣",
    "RVD 2026Q2 (provisional); HSI close of 30 June 2026; Land Registry; Centaline monthly changes; "
    "vacancy of 2025; expectations assumed": (
        "差估署2026年第二季（臨時數字）；恒指2026年6月30日收市；土地註冊處；中原每月變動；2025年空置率；預期屬假設"
    ),
    "RVD 2025Q4; HSI close of 31 December 2025; Land Registry; Centaline monthly changes; "
    "vacancy and completions of 2025; expectations assumed": (
        "差估署2025年第四季；恒指2025年12月31日收市；土地註冊處；中原每月變動；2025年空置率及落成量；預期屬假設"
    ),
    "Mainland buyers leave": "內地買家離場",
    "a broker fails": "有證券行倒閉",
    "a first step is read as the first of several": "市場視首次貶值為連串貶值的開始",
    "buyers wait": "買家觀望",
    "central banks cut": "各地央行減息",
    "fewer families come": "遷入家庭減少",
    "forced sales": "被迫沽售",
    "holders expect a weaker renminbi and convert": "持有人預期人民幣轉弱而兌換",
    "interbank lenders hold back": "同業拆出方收緊",
    "markets fall together": "各地市場齊跌",
    "overnight money is made dear to defend the peg": "為捍衞聯繫匯率，隔夜資金抽緊",
    "rates are cut after the crash": "股災後減息",
    "rates ease": "息口回落",
    "rates rise": "息口上升",
    "shorts are made dear": "推高沽空成本",
    "southbound buying returns": "南下買盤回流",
    "southbound buying stays low": "南下買盤持續偏低",
    "southbound buying stops": "南下買盤停止",
    "southbound money buys the fall": "南下資金趁低吸納",
    "supply of the boom comes to market": "旺市時的供應陸續推出",
    "tariffs are announced over a holiday": "假期間公布關稅",
    "the RMB Business Facility is back at its size of December 2025": "人民幣業務資金安排回復至2025年12月的額度",
    "the exchange opens after four days shut": "停市四天後復市",
    "the fall goes on": "跌勢持續",
    "the fixing is moved": "中間價下調",
    "the peg is defended": "捍衞聯繫匯率",
    "the world's markets fall": "環球股市下跌",
}

_PATTERNS = (
    (re.compile(r"(\w+) carved out of (\w+): ([\d.,e+]+) (.+)"), "{1}由{2}分拆：{3} {4}"),
    (re.compile(r"(\w+) split into (.+) in proportion"), "{1}按比例分為{2}"),
    (re.compile(r"(\d+) of (\d+) sources of the table are assumptions"), "數據表的{2}項來源中，{1}項為假設"),
    (re.compile(r"(.+) \((\d+) months\)"), "{1}（{2}個月）"),
    (
        re.compile(r"([\d,]+) replications; noise of prices, index, rents, rate and agreements"),
        "{1}次模擬；售價、指數、租金、利率及合約宗數均有隨機擾動",
    ),
    (
        re.compile(r"([\d,]+) replications; noise by function, of the CNH rate and of USD/CNH"),
        "{1}次模擬；各項功能、離岸人民幣拆息及美元兌離岸人民幣均有隨機擾動",
    ),
    (re.compile(r"quoted (.+); found (.+)"), "引述 {1}；所得 {2}"),
    (re.compile(r"(\d+) draws of the elasticities"), "{1}次彈性抽樣"),
    (re.compile(r"(stylised AI value chain \d+), (\d+)"), "{1}"),
)

NAMES: dict[str, dict[str, str]] = {
    language: {name: pair[place] for name, pair in _NAMES.items()} for place, language in enumerate(("en", "zh"))
}


def name_of(name: str, language: str) -> str:
    """Return the name in a language; names of two parts (``KOR core``, ``KOR core hbm``) part by part."""
    known = NAMES[language]
    if name in known:
        return known[name]
    parts = name.split(" ")
    if len(parts) > 1 and parts[0] in known:
        gap = "" if language == "zh" else " "
        return gap.join([known[parts[0]], *(_low(known.get(part, part), language) for part in parts[1:])])
    return name


def said(text: str, language: str) -> str:
    """Return what a model says in a language; a sentence without its Chinese is returned as it is, in English."""
    if language == "en":
        return text
    if text in _SAID:
        return _SAID[text]
    for pattern, shape in _PATTERNS:
        found = pattern.fullmatch(text)
        if found:
            return shape.format("", *(said(part or "", language) for part in found.groups()))
    parts = [name_of(part, language) for part in text.split(", ")]
    return "、".join(parts) if parts != text.split(", ") else text


def is_said(text: str, language: str) -> bool:
    """Return whether a sentence has words in the language."""
    return language == "en" or said(text, language) != text


def _low(word: str, language: str) -> str:
    return word[:1].lower() + word[1:] if language == "en" else word
