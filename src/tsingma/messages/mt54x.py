"""ISO 15022 messages that custodians still send: MT540 to MT543 in and out, MT544 to MT548 and MT578 out.

540 receives free, 541 against payment, 542 delivers free, 543 against payment; 544 to 547 confirm the same, 548 is the
status, 578 the allegement (its blocks GENL and TRADDET: SWIFT user handbook 2015, category 5). They carry the same
order, confirmation, status and allegement as sese.023, .025, .024, .028 and .029. Fields and codes are used as the
standards release guides have them (assumed: no guide was at hand); what is not read is refused, not passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tsingma.basics.identifiers import is_isin
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import Rejected, Rejection, RejectionReason, refuse
from tsingma.basics.rounding import parse_scaled
from tsingma.messages.iso20022.allegement import Allegement
from tsingma.messages.iso20022.codes import State
from tsingma.messages.iso20022.confirmation import Confirmation
from tsingma.messages.iso20022.instruction import Instruction
from tsingma.messages.iso20022.leaves import decimal_cents
from tsingma.messages.iso20022.parties import ISSUER, Directory
from tsingma.messages.iso20022.requests import Cancellation
from tsingma.messages.iso20022.status import StatusAdvice
from tsingma.settlement.instruction import PRIORITIES

BYTES_MAX = 16 * 1024**2
MESSAGES_MAX = 100_000
FAULTS_MAX = 100
ORDERS = {"540": (False, True), "541": (False, False), "542": (True, True), "543": (True, False)}  # delivers, free
_MESSAGE = re.compile(r"\{1:F01[A-Z0-9]{12}[0-9]{10}\}\{2:[IO]([0-9]{3})[^{}]*\}(?:\{3:[^}]*\})?\{4:\n(.*)", re.DOTALL)
_END, _BETWEEN = "\n-}", "\n$ "
_FIELD = re.compile(r":(\d\d[A-Z]):(.*)", re.DOTALL)
_PLAIN = re.compile(r"[A-Za-z0-9/\-?:().,'+ ]*")  # character set X
# Where a state of sese.024 stands in an MT548: qualifier and code of 25D, qualifier of 24B.
_STATES = {
    "MtchgSts/Mtchd": ("MTCH", "MACH", ""), "MtchgSts/Umtchd": ("MTCH", "NMAT", "NMAT"),
    "SttlmSts/Pdg": ("SETT", "PEND", "PEND"), "SttlmSts/Flng": ("SETT", "PENF", "PENF"),
    "PrcgSts/Rjctd": ("IPRC", "REJT", "REJT"), "PrcgSts/Canc": ("IPRC", "CAND", "CAND"),
    "PrcgSts/PdgCxl": ("CPRC", "PEND", "PEND"), "PrcgSts/CxlReqd": ("IPRC", "CPRC", ""),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Field:
    """One field: the blocks it stands in, its tag and its value."""

    path: tuple[str, ...]
    tag: str
    value: str


def read_orders(text: str, directory: Directory, *, file: str = "") -> list[tuple[int, Instruction]]:
    """Return (line, order) of every MT540 to MT543 of a file; raises Rejected as ``read_requests``, also for a CANC."""
    found = read_requests(text, directory, file=file)
    orders = [(line, one) for line, one in found if isinstance(one, Instruction)]
    if len(orders) < len(found):
        line = next(line for line, one in found if not isinstance(one, Instruction))
        raise refuse(RejectionReason.NOT_ALLOWED, "'CANC' is no order", file=file, line=line, field="GENL/23G",
                     remedy="NEWM or PREA; a file with cancellations is changed to .xml")  # fmt: skip
    return orders


def read_requests(text: str, directory: Directory, *, file: str = "") -> list[tuple[int, Instruction | Cancellation]]:
    """Return (line, order or cancellation) of every MT540 to MT543 of a file.

    Raises Rejected with every fault (at most 100).
    """
    if len(text) > BYTES_MAX:
        raise refuse(RejectionReason.LIMIT, f"{len(text)} bytes, {BYTES_MAX} at most", file=file, remedy="split it")
    text = text.replace("\r\n", "\n")
    *pieces, rest = text.split(_END)
    if len(pieces) > MESSAGES_MAX:
        raise refuse(RejectionReason.LIMIT, f"{len(pieces)} messages, {MESSAGES_MAX} at most", file=file)
    found: list[tuple[int, Instruction | Cancellation]] = []
    faults: list[Rejection] = []
    line = 1
    for place, piece in enumerate(pieces, 1):
        begins = piece.lstrip(_BETWEEN)
        here = line + piece.count("\n", 0, len(piece) - len(begins))
        line += piece.count("\n") + _END.count("\n")
        try:
            kind, body = _blocks(begins)
            found.append((here, _order(kind, body, directory)))
        except Rejected as rejected:
            one = rejected.rejections[0]
            faults.append(
                Rejection(reason=one.reason, message=one.message, file=file, line=here, field=one.field,
                          subject=f"message {place}", remedy=one.remedy)
            )  # fmt: skip
        if len(faults) >= FAULTS_MAX:
            break
    if not faults and (rest.strip(_BETWEEN) or not found):
        raise refuse(RejectionReason.MALFORMED, "is no message in blocks 1, 2 and 4", file=file, line=line)
    if faults:
        raise Rejected(*faults)
    return found


def write_order(one: Instruction, directory: Directory, sender: str, receiver: str) -> str:
    """Return an order as MT540 to MT543; raises Rejected: not-allowed for what they have no field for, malformed."""
    if (
        one.kind not in ("dvp", "fop")
        or one.pool
        or one.conditions
        or one.matched
        or one.client
        or one.counterparty_client
    ):
        raise refuse(RejectionReason.NOT_ALLOWED, "MT540 to MT543 carry plain dvp and fop here", field="kind",
                     subject=f"order {one.reference}", remedy="send it as sese.023")  # fmt: skip
    delivers = one.side == "deliver"
    kind = next(name for name, meaning in ORDERS.items() if meaning == (delivers, one.kind == "fop"))
    link = ["16R:LINK", f"20C::COMM//{one.common_reference}", "16S:LINK"] if one.common_reference else []
    priority = [f"22F::PRIR//{PRIORITIES.index(one.priority) + 1:04d}"] if one.priority else []
    parts = {"yes": ["22F::STCO//PART"], "no": ["22F::STCO//NPAR"]}.get(one.partial, [])
    other = _party("REAG" if delivers else "DEAG", one.counterparty, one.counterparty_account, directory)
    money = [] if one.kind == "fop" else _amount("SETT", parse_scaled(one.amount, 2), one.currency)
    lines = [
        "16R:GENL", f"20C::SEME//{one.reference}", f"23G:{'PREA' if one.hold == 'yes' else 'NEWM'}", *link, "16S:GENL",
        "16R:TRADDET", f"98A::SETT//{_compact(one.intended_date)}", f"98A::TRAD//{_compact(one.trade_date)}",
        f"35B:ISIN {one.isin}", "16S:TRADDET",
        "16R:FIAC", f"36B::SETT//{_quantity(int(one.quantity), one.isin, directory)}", f"97A::SAFE//{one.account}",
        "16S:FIAC", "16R:SETDET", *priority, "22F::SETR//TRAD", *parts, *other, *money, "16S:SETDET",
    ]  # fmt: skip
    return _message(kind, lines, sender, receiver)


def write_advice(advice: StatusAdvice, sender: str, receiver: str) -> str:
    """Return a status as MT548; a state without a reason, or with none given, has no field 24B."""
    states = [line for state in advice.states for line in _state(state)]
    number = [f"20C::MITI//{advice.number}"] if advice.number else []
    lines = ["16R:GENL", f"20C::SEME//{advice.number or advice.reference}", "23G:INST", "16R:LINK",
             f"20C::RELA//{advice.reference}", "16S:LINK"]  # fmt: skip
    if number:
        lines += ["16R:LINK", *number, "16S:LINK"]
    return _message("548", [*lines, *states, "16S:GENL"], sender, receiver)


def write_confirmation(one: Confirmation, directory: Directory, sender: str, receiver: str) -> str:
    """Return a confirmation as MT544 to MT547; raises Rejected for payments without delivery, which have none."""
    if not one.isin:
        raise refuse(RejectionReason.NOT_ALLOWED, "a payment without delivery has no MT544 to MT547", field="isin",
                     subject=one.number, remedy="read sese.025")  # fmt: skip
    kind = {(False, True): "544", (False, False): "545", (True, True): "546", (True, False): "547"}[
        one.delivers, not one.currency
    ]
    part = [f"22F::PARS//{one.partial}"] if one.partial else []
    sequence = f"{one.number}-{one.quantity_before + one.quantity}"[:16]
    traded = [f"98A::TRAD//{_compact(one.trade_date)}"] if one.trade_date else []
    other = _party("REAG" if one.delivers else "DEAG", one.counterparty, one.counterparty_account, directory)
    left: list[str] = []
    if one.partial:
        left = [f"36B::PSTT//{_quantity(one.quantity_before, one.isin, directory)}",
                f"36B::RSTT//{_quantity(one.quantity_left, one.isin, directory)}"]  # fmt: skip
    lines = [
        "16R:GENL", f"20C::SEME//{sequence}", "23G:NEWM", *part, "16R:LINK", f"20C::RELA//{one.reference}", "16S:LINK",
        "16S:GENL", "16R:TRADDET", f"98A::SETT//{_compact(one.intended_date)}", *traded,
        f"98A::ESET//{_compact(one.settled_date)}", f"35B:ISIN {one.isin}", "16S:TRADDET",
        "16R:FIAC", f"36B::ESTT//{_quantity(one.quantity, one.isin, directory)}", *left, f"97A::SAFE//{one.account}",
        "16S:FIAC", "16R:SETDET", "22F::SETR//TRAD", *other,
        *(_amount("ESTT", one.cents, one.currency) if one.currency else []), "16S:SETDET",
    ]  # fmt: skip
    return _message(kind, lines, sender, receiver)


def write_allegement(
    one: Allegement, directory: Directory, sender: str, receiver: str, *, removed: bool = False
) -> str:
    """Return an allegement as MT578, or that it stands no more; raises Rejected for a payment without delivery."""
    if not one.isin:
        raise refuse(RejectionReason.NOT_ALLOWED, "a payment without delivery has no MT578", field="isin",
                     subject=one.number, remedy="read sese.028")  # fmt: skip
    before = ["16R:LINK", f"20C::PREV//{one.number}", "16S:LINK"] if removed else []
    other = _party("REAG" if one.delivers else "DEAG", one.alleging, one.alleging_account, directory)
    account = [f"97A::SAFE//{one.account}"] if one.account else []
    lines = [
        "16R:GENL", f"20C::SEME//{one.number}{'-X' if removed else ''}", f"23G:{'REMO' if removed else 'NEWM'}",
        *before, "16S:GENL", "16R:TRADDET", f"98A::SETT//{_compact(one.intended_date)}",
        *([f"98A::TRAD//{_compact(one.trade_date)}"] if one.trade_date else []), f"35B:ISIN {one.isin}", "16S:TRADDET",
        "16R:FIAC", f"36B::SETT//{_quantity(one.quantity, one.isin, directory)}", *account, "16S:FIAC",
        "16R:SETDET", "22F::SETR//TRAD", f"22H::REDE//{'DELI' if one.delivers else 'RECE'}",
        f"22H::PAYM//{'APMT' if one.currency else 'FREE'}", *other,
        *(_amount("SETT", one.cents, one.currency) if one.currency else []), "16S:SETDET",
    ]  # fmt: skip
    return _message("578", lines, sender, receiver)


def fields_of(text: str) -> list[tuple[str, str]]:
    """Return (tag, value) of the fields of a message, without the marks of its blocks; raises Rejected (malformed)."""
    _, body = _blocks(text.strip(_BETWEEN).removesuffix(_END))
    return [(one.tag, one.value) for one in _fields(body)]


def _blocks(text: str) -> tuple[str, str]:
    """Return the type and block 4 of a message without its end; raises Rejected (malformed)."""
    match = _MESSAGE.fullmatch(text)
    if match is None:
        raise refuse(RejectionReason.MALFORMED, f"'{text[:40]}' is no message in blocks 1, 2 and 4")
    return match[1], match[2]


def _fields(body: str) -> Iterator[_Field]:
    """Yield the fields of block 4; raises Rejected when blocks are not closed as they were opened."""
    path: list[str] = []
    for part in re.split(r"\n(?=:)", body):
        match = _FIELD.fullmatch(part)
        if match is None:
            raise refuse(RejectionReason.MALFORMED, f"'{part[:40]}' is no field", remedy="write :TAG:VALUE")
        tag, value = match[1], match[2]
        if tag == "16R":
            path.append(value)
        elif tag == "16S":
            if not path or path.pop() != value:
                raise refuse(RejectionReason.MALFORMED, f"block {value[:16]} ends and was not open", field="16S")
        else:
            yield _Field(tuple(path), tag, value)
    if path:
        raise refuse(RejectionReason.MALFORMED, f"block {path[-1][:16]} is not closed", field="16R")


class _Taken:
    """Fields by block, tag and qualifier; each is to be taken, so that nothing is passed over."""

    def __init__(self, body: str) -> None:
        self.left: dict[str, str] = {}
        for one in _fields(body):
            qualifier, _, value = one.value.partition("//")
            if not qualifier.startswith(":") and one.tag not in ("23G", "35B"):
                raise refuse(RejectionReason.MALFORMED, f"'{one.value[:40]}' has no qualifier", field=one.tag)
            if one.tag in ("23G", "35B"):
                qualifier, value = "", one.value
            elif not value and "/" in qualifier:  # :95R::REAG/TSINGMA/B
                qualifier, _, value = one.value.partition("/")
            name = "/".join((*one.path, f"{one.tag}{qualifier}"))
            if name in self.left:
                raise refuse(RejectionReason.DUPLICATE, "stands twice", field=name)
            self.left[name] = value

    def must(self, name: str) -> str:
        """Return a value that has to be there."""
        if not self.left.get(name):
            raise refuse(RejectionReason.MISSING, "is not there", field=name)
        return self.left.pop(name)

    def may(self, name: str) -> str:
        """Return a value, "" when it is not there."""
        return self.left.pop(name, "")

    def end(self, informs: Sequence[str]) -> None:
        """Refuse what was not taken and does more than inform."""
        for name in self.left:
            if name not in informs:
                raise refuse(RejectionReason.NOT_ALLOWED, "is not acted on here", field=name, remedy="leave it out")


def _order(kind: str, body: str, directory: Directory) -> Instruction | Cancellation:
    if kind not in ORDERS:
        raise refuse(RejectionReason.UNKNOWN, f"MT{kind} is not taken here", remedy="MT540 to MT543")
    (delivers, free), taken = ORDERS[kind], _Taken(body)
    function = taken.must("GENL/23G")
    if function not in ("NEWM", "PREA", "CANC"):
        raise refuse(RejectionReason.NOT_ALLOWED, f"'{function}' is not acted on here", field="GENL/23G",
                     remedy="NEWM, PREA to match only, or CANC")  # fmt: skip
    before = taken.must("GENL/LINK/20C:PREV") if function == "CANC" else ""
    isin = taken.must("TRADDET/35B").partition("\n")[0].removeprefix("ISIN ")
    if not is_isin(isin):
        raise refuse(RejectionReason.MALFORMED, f"'{isin[:20]}' is no ISIN", field="TRADDET/35B")
    other = "REAG" if delivers else "DEAG"
    reference = taken.must("GENL/20C:SEME")
    priority, parts = taken.may("SETDET/22F:PRIR"), taken.may("SETDET/22F:STCO")
    names = {f"{place:04d}": name for place, name in enumerate(PRIORITIES, 1)}
    if (priority and priority not in names) or parts not in ("", "PART", "NPAR"):
        raise refuse(RejectionReason.NOT_ALLOWED, "is not acted on here", field="SETDET/22F")
    currency, amount = "", ""
    if not free:
        currency, amount = _money(taken.must("SETDET/AMT/19A:SETT"))
    one = Instruction(
        reference=reference,
        account=taken.must("FIAC/97A:SAFE"),
        side="deliver" if delivers else "receive",
        counterparty=_counterparty(taken, other, directory),
        kind="fop" if free else "dvp",
        quantity=_units(taken.must("FIAC/36B:SETT"), isin, directory),
        trade_date=_day(taken.must("TRADDET/98A:TRAD")),
        intended_date=_day(taken.must("TRADDET/98A:SETT")),
        isin=isin,
        currency=currency,
        amount=amount,
        counterparty_account=taken.may("SETDET/SETPRTY/97A:SAFE"),
        priority=names.get(priority, ""),
        partial={"PART": "yes", "NPAR": "no"}.get(parts, ""),
        hold="yes" if function == "PREA" else "",
        common_reference=taken.may("GENL/LINK/20C:COMM"),
    )
    taken.end(("SETDET/22F:SETR", "TRADDET/90A:DEAL", "TRADDET/94B:TRAD", "SETDET/SETPRTY/95P:PSET"))
    if before:
        return Cancellation(reference=before, delivers=delivers, free=free, account=one.account)
    return one


def _counterparty(taken: _Taken, side: str, directory: Directory) -> str:
    bic, own = taken.may(f"SETDET/SETPRTY/95P:{side}"), taken.may(f"SETDET/SETPRTY/95R:{side}")
    issuer, _, code = own.partition("/")
    named = {"p/Id/AnyBIC": bic} if bic else {"p/Id/PrtryId/Id": code, "p/Id/PrtryId/Issr": issuer}
    try:
        return directory.participant(named, "p")
    except Rejected as rejected:
        one = rejected.rejections[0]
        raise refuse(one.reason, one.message, field=f"SETDET/SETPRTY/95:{side}", remedy=one.remedy) from None


def _units(value: str, isin: str, directory: Directory) -> str:
    kind, _, number = value.partition("/")
    name = {"UNIT": "Unit", "FAMT": "FaceAmt"}.get(kind, "")
    if not name or not number:
        raise refuse(RejectionReason.MALFORMED, f"'{value[:40]}' is no quantity", field="FIAC/36B",
                     remedy="UNIT/100, or FAMT/100000,")  # fmt: skip
    return directory.read_quantity({f"36B/{name}": number.replace(",", ".")}, "36B", isin)


def _money(value: str) -> tuple[str, str]:
    currency, number = value[:3], value[3:]
    if currency not in CURRENCIES or "," not in number or not re.fullmatch(r"\d{1,13},\d{0,2}", number):
        raise refuse(RejectionReason.MALFORMED, f"'{value[:40]}' is no amount of a currency of the house",
                     field="SETDET/AMT/19A", remedy="HKD30000,00")  # fmt: skip
    return currency, decimal_cents(parse_scaled(number.replace(",", "."), 2))


def _day(value: str) -> str:
    if not re.fullmatch(r"[0-9]{8}", value):
        raise refuse(RejectionReason.MALFORMED, f"'{value[:20]}' is no date", field="98A", remedy="YYYYMMDD")
    return f"{value[:4]}-{value[4:6]}-{value[6:]}"


def _compact(day: str) -> str:
    return day.replace("-", "")


def _quantity(units: int, isin: str, directory: Directory) -> str:
    face = directory.face_cents.get(isin, 0)
    return f"FAMT/{decimal_cents(units * face).replace('.', ',')}" if face else f"UNIT/{units},"


def _amount(qualifier: str, cents: int, currency: str) -> list[str]:
    money = decimal_cents(cents).replace(".", ",")
    return ["16R:AMT", f"19A::{qualifier}//{currency}{money}", "16S:AMT"]


def _party(side: str, code: str, account: str, directory: Directory) -> list[str]:
    bic = directory.bics.get(code, "")
    named = f"95P::{side}//{bic}" if bic else f"95R::{side}/{ISSUER}/{code}"
    return ["16R:SETPRTY", named, *([f"97A::SAFE//{account}"] if account else []), "16S:SETPRTY"]


def _state(state: State) -> list[str]:
    qualifier, code, reason = _STATES[state.at]
    why = ["16R:REAS", f"24B::{reason}//{state.code}", "16S:REAS"] if reason and state.code != "NORE" else []
    return ["16R:STAT", f"25D::{qualifier}//{code}", *why, "16S:STAT"]


def _message(kind: str, lines: Sequence[str], sender: str, receiver: str) -> str:
    for line in lines:
        if not _PLAIN.fullmatch(line):
            raise refuse(RejectionReason.MALFORMED, f"'{line[:60]}' has letters that MT{kind} does not carry",
                         remedy="send it as ISO 20022")  # fmt: skip
    body = "\n".join(f":{line}" for line in lines)
    own, theirs = (f"{bic[:8]}A{bic[8:] or 'XXX'}" for bic in (sender, receiver))
    return f"{{1:F01{own}0000000000}}{{2:I{kind}{theirs}N}}{{4:\n{body}\n-}}"
