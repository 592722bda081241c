"""The words of an economic brief in English and Traditional Chinese, term by term as in the glossary."""

from __future__ import annotations

_PAIRS = {
    "house": ("Tsingma economic models", "青馬經濟模型"),
    "footer": (
        "A model's answer, not a fact: its data, calibration and uncertainty are named above.",
        "以上為模型結果而非事實，所用數據、校準及不確定性已列明。",
    ),
    "fans": ("Fan charts", "扇形圖"),
    "fans_lead": (
        "Dark: the middle half of the replications; light: nine tenths; line: the median.",
        "深色為中間一半的模擬結果，淺色為九成，線為中位數。",
    ),
    "causes": ("What did it", "成因分解"),
    "causes_lead": (
        "Each lever and shock alone, and what only their combination does; the median at the end.",
        "各政策工具及衝擊單獨的影響，以及合併後的額外影響（期末中位數）。",
    ),
    "cause": ("Cause", "成因"),
    "effect": ("Effect", "影響"),
    "without": ("Nothing done", "不加任何衝擊"),
    "together": ("Together, beyond each alone", "合併的額外影響"),
    "with_all": ("With all", "全部合計"),
    "shocks": ("Shocks and their sources", "衝擊及其來源"),
    "shocks_lead": ("Sizes marked assumed have no public source.", "標為 assumed 的數值並無公開來源。"),
    "day": ("Day", "日期"),
    "indicator": ("Indicator", "指標"),
    "size": ("Size", "幅度"),
    "why": ("Why", "原因"),
    "source": ("Source", "來源"),
    "made": ("How it was made", "模型說明"),
    "model": ("Model", "模型"),
    "calibration": ("Calibration", "校準"),
    "uncertainty": ("Uncertainty", "不確定性"),
    "likelihood": ("The path that stands for it", "代表路徑"),
    "seed": ("Seed", "隨機種子"),
    "end": ("at the end", "期末"),
}
_INDICATOR_PAIRS = {
    "home_price.RVD": ("Home prices (RVD, 1999 = 100)", "住宅售價指數（1999 = 100）"),
    "home_rent.RVD": ("Rents (RVD, 1999 = 100)", "住宅租金指數（1999 = 100）"),
    "equity.HSI": ("Hang Seng Index", "恒生指數"),
    "rate.HIBOR_1M": ("One-month HIBOR, % a year", "一個月港元拆息（年率 %）"),
    "volume.home_sales": ("Agreements a month", "每月買賣合約宗數"),
    "housing.stock": ("Private homes", "私人住宅單位總數"),
    "housing.vacancy": ("Vacancy, part of the stock", "空置率"),
    "flow.southbound": ("Southbound flow, points of turnover", "南下資金（佔成交百分點）"),
    "flow.mainland_buying": ("Mainland home buying, points of agreements", "內地買家（佔合約百分點）"),
    "gap.six_months": ("Homes less stocks, six months, log", "樓股六個月增長差（對數）"),
    "share.payments": ("Share of payments", "國際支付佔比"),
    "share.trade_finance": ("Share of trade finance", "貿易融資佔比"),
    "share.reserves": ("Share of reserves", "外匯儲備佔比"),
    "share.deposits": ("Share of deposits", "存款佔比"),
    "share.bonds": ("Share of bonds", "債券佔比"),
    "share.fx": ("Share of foreign exchange", "外匯交易佔比"),
    "pool.deposits": ("Offshore pool, CNY bn", "離岸人民幣資金池（十億元）"),
    "pool.loans": ("Renminbi loans, CNY bn", "人民幣貸款（十億元）"),
    "pool.facility_drawn": ("RMB Business Facility drawn, CNY bn", "人民幣業務資金安排用額（十億元）"),
    "pool.refused": ("Payments that found no money, CNY bn", "未能支付金額（十億元）"),
    "rate.CNH": ("CNH funding rate, % a year", "離岸人民幣資金利率（年率 %）"),
    "fx.USDCNH": ("CNH for one US dollar", "美元兌離岸人民幣"),
}

LANGUAGES = ("en", "zh")
WORDS = {language: {name: pair[place] for name, pair in _PAIRS.items()} for place, language in enumerate(LANGUAGES)}
INDICATORS = {
    language: {name: pair[place] for name, pair in _INDICATOR_PAIRS.items()} for place, language in enumerate(LANGUAGES)
}
