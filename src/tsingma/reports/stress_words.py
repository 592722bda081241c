"""The words of the stress brief in English and Traditional Chinese, term by term as in the glossary."""

from __future__ import annotations

_PAIRS = {
    "house": ("Tsingma post-trade house", "青馬交易後服務"),
    "title": ("Scenarios through the house", "情景壓力測試簡報"),
    "footer": ("Amounts are whole HKD. Nothing here was booked.", "金額以港元整數計。本簡報並無記帳。"),
    "overview": ("Overview", "概覽"),
    "overview_lead": (
        "Losses beyond each account's margin, with the band over draws of what betas leave unexplained.",
        "各帳戶超出按金的虧損，並列出未能由貝塔值解釋部分的抽樣區間。",
    ),
    "over_chart": ("One bar a scenario, by house.", "每一情景一橫條，按結算所分色。"),
    "scenario": ("Scenario", "情景"),
    "index": ("Index", "指數"),
    "over_margin": ("Over margin", "超出按金"),
    "band": ("5 – 95 %", "5 – 95 %"),
    "called": ("Called", "追收"),
    "fail": ("Fail", "違約"),
    "fund_used": ("Fund used", "動用基金"),
    "fund_use": ("Of the fund", "佔基金"),
    "uncovered": ("Uncovered", "未能覆蓋"),
    "to_find": ("To find", "流動資金需求"),
    "plausibility": ("Plausibility", "可信程度"),
    "source": ("Sizes", "數值來源"),
    "houses": ("By house, HKD", "按結算所，港元"),
    "house_name": ("House", "結算所"),
    "losses": ("Losses", "虧損"),
    "accounts_over": ("Accounts", "帳戶數"),
    "fund": ("Fund", "違約基金"),
    "gains_cut": ("Gains cut", "削減收益"),
    "participants": ("Participants nearest to failing, and failed, HKD", "已違約及最接近違約的參與者，港元"),
    "calls_chart": (
        "A bar a participant, HKD: what it is called for, by cause; the tick is what it has, where it fits.",
        "每參與者一橫條（港元）：按成因列出被追收金額；直線為可動用資金（如在圖內）。",
    ),
    "own_calls": ("On its own account", "自有帳戶"),
    "participant": ("Participant", "參與者"),
    "more_margin": ("More margin", "追加按金"),
    "for_clients": ("For clients", "代客戶支付"),
    "replenishment": ("Replenishment", "補充基金"),
    "needed": ("Must bring", "須繳付"),
    "liquid": ("Has", "可動用"),
    "round": ("Fails in round", "違約輪次"),
    "regimes": ("Joint against stand-alone margin, HKD", "合併按金與各別按金比較，港元"),
    "regime": ("Margin", "按金制度"),
    "alone": ("Each house alone", "各結算所各別計算"),
    "joint": ("One portfolio", "單一組合"),
    "margin": ("Margin", "按金"),
    "waterfall": ("Waterfall", "違約損失分擔次序"),
    "waterfall_chart": ("The defaulters' loss, layer by layer, HKD.", "違約者虧損逐層吸收，港元。"),
    "loss": ("Loss", "虧損"),
    "liquidity": ("Money to find, by day and currency", "按日及貨幣的流動資金需求"),
    "day": ("Day", "日期"),
    "currency": ("Currency", "貨幣"),
    "gains": ("For gains", "支付收益"),
    "securities": ("For securities", "支付證券"),
}

_LAYER_PAIRS = {
    "defaulter-collateral": ("Defaulters' margin", "違約者按金"),
    "defaulter-contribution": ("Defaulters' contributions", "違約者基金供款"),
    "house": ("The house's own part", "結算所自有資源"),
    "survivor-contributions": ("Survivors' contributions", "其他參與者供款"),
    "assessments": ("Assessments", "額外徵款"),
    "uncovered": ("Uncovered", "未能覆蓋"),
}

WORDS: dict[str, dict[str, str]] = {
    language: {name: pair[place] for name, pair in _PAIRS.items()} for place, language in enumerate(("en", "zh"))
}
LAYERS: dict[str, dict[str, str]] = {
    language: {name: pair[place] for name, pair in _LAYER_PAIRS.items()} for place, language in enumerate(("en", "zh"))
}
