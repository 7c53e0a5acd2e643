"""Made-up text of the kinds that fill business papers: amounts, dates, codes, form fields.

Every function takes a `random.Random` and nothing else, so that a seed fixes the text.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from random import Random

_DIGITS = "0123456789"
_BIG_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_BIG_UNITS = ("", "拾", "佰", "仟")
_BIG_GROUPS = ("", "万", "亿")
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_LONG_MONTHS = (
    "January February March April May June July August September October November December".split()
)
_FIELDS_ZH = (
    "名称 纳税人识别号 地址 电话 地址、电话 开户行及账号 货物或应税劳务、服务名称 "
    "规格型号 单位 数量 单价 金额 税率 税额 合计 价税合计 小写 大写 收款人 复核 开票人 "
    "销售方 购买方 备注 校验码 发票代码 发票号码 开票日期 机器编号 密码区 "
    "甲方 乙方 法定代表人 委托代理人 签订日期 合同编号 "
    "项目名称 交货日期 付款方式 收货人 发货人 运单号 订单编号 下单时间 支付方式 实付金额 优惠 "
    "姓名 性别 出生日期 民族 住址 公民身份号码 签发机关 有效期限 手机号码 邮箱 学历 专业 毕业院校 "
    "科室 床号 住院号 检验项目 结果 参考范围 样本类型 报告时间 审核者 车次 座位 票价 检票口 "
    "户名 账号 交易日期 摘要 借方 贷方 余额 币种 流水号 经办人 主管 桌号 收银员 小计 找零 会员卡号 "
    "统一社会信用代码 注册资本 经营范围 成立日期 登记机关 主送 抄送 附件 印发 文号 密级 标题 页码"
).split()
_FIELDS_EN = (
    "Invoice No|Date|Due Date|Bill To|Ship To|Tel|Fax|Email|GST Reg No|Tax Invoice|Cashier|"
    "Table|Subtotal|Sub Total|Total|Grand Total|Total Sales (Inclusive GST)|Rounding Adj|Change|"
    "Cash|Balance|Discount|Qty|Price|Amount|Description|Unit Price|Item|Code|Order No|Account No|"
    "Reference|Customer|Address|Phone|Website|Terms|Payment Method|VISA CARD|Approval Code|"
    "Member ID|Name|Signature|Page|Department|Subject|Version|Status|Delivery Note|Serial No|"
    "Thank you! Please come again|GOODS SOLD ARE NOT RETURNABLE|Salesperson|Document No|Batch"
).split("|")
_UNITS = (
    "元 角 个 件 箱 台 套 kg g mg L mL m cm mm ㎡ m² m³ % ‰ ℃ km/h mmol/L g/L U/L ×10⁹/L "
    "MB GB 次 天 小时 分钟 份 张 人"
).split()
_GOODS = (
    "图书 文具 餐饮服务 运输服务 信息技术服务 纸制品 日用杂品 电子计算机 通信设备 电线电缆 "
    "水果 蔬菜 乳制品 服装 家具 五金工具 塑料制品 玻璃器皿 物业管理费 会议费 住宿费 打印机 "
    "硒鼓 签字笔 复印纸 台灯 键盘"
).split()
_MALAY = (
    "JALAN TAMAN SDN BHD KUALA LUMPUR SELANGOR PERNIAGAAN RESTORAN KEDAI LOT BANDAR BARU "
    "JOHOR PENANG PUSAT PERDAGANGAN CAWANGAN TUNAI TERIMA KASIH SILA DATANG LAGI NO"
).split()
_DOMAINS = "com cn com.cn net org gov.cn edu.cn io com.my co.uk".split()


def digits(rng: Random, low: int, high: int) -> str:
    """Draw a string of `low` to `high` digits."""
    return "".join(rng.choices(_DIGITS, k=rng.randint(low, high)))


def code(rng: Random) -> str:
    """Draw a serial, order or licence number, sometimes grouped."""
    kind = rng.random()
    if kind < 0.3:
        return digits(rng, 4, 20)
    if kind < 0.5:
        groups = [digits(rng, 3, 5) for _ in range(rng.randint(2, 5))]
        return rng.choice(" -").join(groups)
    letters = string.ascii_uppercase if rng.random() < 0.8 else string.ascii_letters
    body = "".join(rng.choices(letters + _DIGITS * 2, k=rng.randint(4, 18)))
    if kind < 0.7:
        return body
    head = "".join(rng.choices(string.ascii_uppercase, k=rng.randint(1, 4)))
    return f"{head}{rng.choice(['-', '', '/', '#', ' '])}{digits(rng, 2, 10)}"


def amount(rng: Random) -> str:
    """Draw an amount of money, a quantity with its unit, or a percentage."""
    value = round(10 ** rng.uniform(0, 7), rng.choice((0, 1, 2, 2, 2, 3)))
    number = f"{value:,.2f}" if rng.random() < 0.4 else f"{value:.{rng.choice((0, 1, 2, 2))}f}"
    kind = rng.random()
    if kind < 0.35:
        return rng.choice(("¥", "￥", "$", "RM", "RM ", "€", "£", "US$", "人民币")) + number
    if kind < 0.6:
        return number + rng.choice(("", "元", " SR", " ZRL")) + rng.choice(("", "整", ""))
    if kind < 0.85:
        return number + rng.choice(("", " ")) + rng.choice(_UNITS)
    return rng.choice(("-", "+", "±", "×", "≤", "≥", "<", ">", "~")) + number


def amount_in_words(rng: Random) -> str:
    """Write an amount as Chinese bank numerals, the way cheques and invoices do."""
    value = int(10 ** rng.uniform(1, 9))
    text = _integer_in_words(value)
    cents = rng.choice((0, 0, rng.randint(1, 99)))
    if cents == 0:
        return text + rng.choice(("元整", "圆整"))
    jiao, fen = divmod(cents, 10)
    tail = (f"{_BIG_DIGITS[jiao]}角" if jiao else "零") + (f"{_BIG_DIGITS[fen]}分" if fen else "")
    return text + rng.choice(("元", "圆")) + tail


def _integer_in_words(value: int) -> str:
    groups: list[str] = []
    for name in _BIG_GROUPS:
        value, part = divmod(value, 10_000)
        if part:
            groups.append(_group_in_words(part) + name)
        if not value:
            break
    return "".join(reversed(groups))


def _group_in_words(part: int) -> str:
    words, pending_zero = "", False
    for place in (3, 2, 1, 0):
        digit = part // 10**place % 10
        if digit == 0:
            pending_zero = bool(words)
            continue
        words += ("零" if pending_zero else "") + _BIG_DIGITS[digit] + _BIG_UNITS[place]
        pending_zero = False
    return words


def date(rng: Random) -> str:
    """Draw a date or a time in one of the usual forms."""
    year, month, day = rng.randint(1949, 2035), rng.randint(1, 12), rng.randint(1, 31)
    clock = f"{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}"
    forms = (
        f"{year}年{month}月{day}日",
        f"{year}年{month:02d}月{day:02d}日",
        f"{year} 年 {month} 月 {day} 日",
        f"{year}-{month:02d}-{day:02d}",
        f"{year}/{month}/{day} {clock}",
        f"{day:02d}/{month:02d}/{year}",
        f"{day:02d}-{month:02d}-{year % 100:02d} {clock}:{rng.randint(0, 59):02d}",
        f"{year}.{month:02d}.{day:02d}",
        f"{day} {_MONTHS[month - 1]} {year}",
        f"{_LONG_MONTHS[month - 1]} {day}, {year}",
        f"{day:02d} {_MONTHS[month - 1].upper()} {year} {clock} {rng.choice(('AM', 'PM'))}",
        clock,
        f"{clock}-{rng.randint(0, 23):02d}:00",
        f"{month}月{day}日 星期{rng.choice('一二三四五六日')}",
    )
    return rng.choice(forms)


def measure(rng: Random) -> str:
    """Draw a range, a power, a size or a mark, as tables of results and goods hold them."""
    places = rng.choice((0, 0, 1, 2))
    low = 10 ** rng.uniform(-1, 2.5)
    first, last = f"{low:.{places}f}", f"{low * rng.uniform(1.1, 5):.{places}f}"
    power = rng.choice((3, 6, 9, 12))
    unit = rng.choice(("cm", "mm", "m", "mL", "g", "kg", "", "寸"))
    forms = (
        first + rng.choice(("~", "~", "~", "-", "～", "–", " ~ ", "—")) + last,
        first + rng.choice(("~", "-")) + last + rng.choice(("%", unit)),
        rng.choice(("", "×", "*", first + "×")) + f"10^{power}/{rng.choice(('L', 'mL'))}",
        rng.choice(("×", "x", "*", "×")).join(digits(rng, 1, 3) for _ in range(2)) + unit,
        digits(rng, 2, 3) + unit + rng.choice("×*") + digits(rng, 1, 2) + rng.choice("瓶袋盒包支"),
        f"*{rng.choice(_GOODS)}*{rng.choice(_GOODS)}",
        f"{rng.randint(0, 100)}%",
        rng.choice("↑↓+-±*√×↑↓"),
        f"{first} {rng.choice('↑↓HL')}",
        f"{rng.choice('≤≥<>')}{first}",
        f"{rng.randint(1, 99)}/{rng.randint(1, 99)}",
    )
    return rng.choice(forms)


def phone(rng: Random) -> str:
    """Draw a telephone number."""
    return rng.choice(
        (
            f"1{rng.choice('3456789')}{digits(rng, 9, 9)}",
            f"0{digits(rng, 2, 3)}-{digits(rng, 7, 8)}",
            f"+86 {digits(rng, 3, 3)} {digits(rng, 4, 4)} {digits(rng, 4, 4)}",
            f"400-{digits(rng, 3, 3)}-{digits(rng, 4, 4)}",
            f"0{digits(rng, 1, 1)}-{digits(rng, 4, 4)} {digits(rng, 4, 4)}",
            f"({digits(rng, 2, 3)}) {digits(rng, 3, 3)}-{digits(rng, 4, 4)}",
        )
    )


def address_net(rng: Random) -> str:
    """Draw a mail address, a web address or a file path."""
    word = "".join(rng.choices(string.ascii_lowercase, k=rng.randint(3, 10)))
    other = "".join(rng.choices(string.ascii_lowercase + _DIGITS, k=rng.randint(2, 8)))
    domain = f"{word}.{rng.choice(_DOMAINS)}"
    return rng.choice(
        (
            f"{other}@{domain}",
            f"www.{domain}",
            f"https://{domain}/{other}",
            f"{word}_{other}.py",
            f"/usr/{word}/{other}",
            f"{word}.{other}({rng.choice(string.ascii_lowercase)})",
            f"--{word}={rng.randint(0, 999)}",
            ".".join(str(rng.randint(1, 254)) for _ in range(4)),
        )
    )


def receipt_en(rng: Random) -> str:
    """Draw a line as English and Malaysian till receipts have them."""
    words = [rng.choice(_MALAY) for _ in range(rng.randint(1, 4))]
    kind = rng.random()
    if kind < 0.3:
        return " ".join(words)
    if kind < 0.5:
        return f"{rng.choice(_FIELDS_EN)}{rng.choice((':', ' :', ' : ', ': ', ' '))}{amount(rng)}"
    if kind < 0.7:
        return f"{rng.randint(1, 20)} X {rng.uniform(0.5, 99):.2f} {rng.uniform(1, 999):.2f}"
    if kind < 0.85:
        return (
            f"NO. {rng.randint(1, 99)}, JALAN {words[0]} {rng.randint(1, 30)}/{rng.randint(1, 99)},"
        )
    return f"({digits(rng, 6, 7)}-{rng.choice('ADHKMPTUVWX')})"


def menu(rng: Random) -> str:
    """Draw a row of links, a list's item, or a heading with its number or mark."""
    words = [rng.choice((*_FIELDS_ZH, *_GOODS, *_FIELDS_EN)) for _ in range(4)]
    number = rng.randint(1, 20)
    han = rng.choice("一二三四五六七八九十")
    forms = (
        rng.choice((" | ", "|", " / ", " · ", " > ", "  ")).join(words[: rng.randint(2, 4)]),
        rng.choice(("• ", "•", "· ", "◆ ", "★", "※ ", "■ ", "□ ", "○ ", "● ", "→ ", "√ ", "- "))
        + words[0],
        words[0] + rng.choice(("★", "★★★", "☆", "→", "↑", "…", "*", "（大份）", "（微辣）")),
        f"{number}{rng.choice(('. ', '、', ') ', '．'))}{words[0]}",
        f"{rng.choice(('（{}）', '第{}章 ', '{}、', '第{}条 ', '({}) '))}".format(han) + words[0],
        f"{rng.choice('①②③④⑤⑥⑦⑧⑨⑩')}{words[0]}",
        f"{words[0]}{rng.choice(('......', '…………', ' ..... '))}{number}",
        rng.choice(("¥", "￥", "$")) + str(rng.randint(1, 999)),
        f"{number}.{rng.randint(1, 9)} {words[0]}",
    )
    return rng.choice(forms)


def field(rng: Random) -> str:
    """Draw a form field with its value, Chinese or English."""
    value = rng.choice((amount, date, code, phone, amount_in_words))(rng)
    if rng.random() < 0.65:
        name = rng.choice(_FIELDS_ZH)
        if len(name) == 2 and rng.random() < 0.3:
            name = f"{name[0]} {name[1]}"
        return name + rng.choice(("：", ":", "： ", " ", "")) + rng.choice((value, value, ""))
    name = rng.choice(_FIELDS_EN)
    name = rng.choice((name, name.upper(), name.lower()))
    return name + rng.choice((": ", ":", " : ", " ")) + rng.choice((value, value, ""))


GENERATORS: tuple[tuple[Callable[[Random], str], float], ...] = (
    (field, 0.24),
    (menu, 0.10),
    (amount, 0.14),
    (measure, 0.10),
    (date, 0.11),
    (code, 0.10),
    (receipt_en, 0.08),
    (amount_in_words, 0.03),
    (phone, 0.05),
    (address_net, 0.05),
)


def phrase(rng: Random) -> str:
    """Draw a piece of text from all generators by their shares."""
    functions = [function for function, _ in GENERATORS]
    shares = [share for _, share in GENERATORS]
    return rng.choices(functions, weights=shares)[0](rng)
