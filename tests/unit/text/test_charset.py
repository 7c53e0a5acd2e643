from __future__ import annotations

import pytest

from shizi.core.errors import IncompatibleModel
from shizi.text.charset import Charset, fold, standard_charset


def test_standard_charset_holds_what_its_users_write() -> None:
    charset = standard_charset()
    assert charset.covers("壹贰叁肆伍陆柒捌玖拾佰仟万亿元角分整 ¥1,234.56 ①②⑩ ㎡ ℃ ‰")
    assert charset.covers("資訊發票國語買賣體驗臺灣繁體字")
    assert charset.covers('Total (incl. GST): "US$ 12.50" – 50% off! user@example.com #1')
    assert 9_000 <= len(charset) <= 12_000


def test_charset_file_round_trips() -> None:
    charset = standard_charset("㐂")
    again = Charset.from_text(charset.to_text())
    assert again == charset
    assert again.sha256 == charset.sha256
    assert " " in again


def test_encode_and_symbol_are_inverse() -> None:
    charset = Charset(("a", " ", "中"))
    assert charset.encode("中 a") == [3, 2, 1]
    assert "".join(map(charset.symbol, [3, 2, 1])) == "中 a"
    assert len(charset) == 4


@pytest.mark.parametrize("symbols", [("a", "a"), ("ab",), ("",)])
def test_what_cannot_be_a_charset_is_refused(symbols: tuple[str, ...]) -> None:
    with pytest.raises(IncompatibleModel):
        Charset(symbols)


def test_fold_joins_spaces_and_look_alikes() -> None:
    assert fold("  a\u3000b\u00a0 c ") == "a b c"
    assert fold("１") == "１"
    assert fold("−5 ￥3") == "-5 ¥3"
    assert standard_charset().covers(fold("⋯•・￥＄"))
