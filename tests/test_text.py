"""Text of unknown origin: nothing that a terminal, a page or a spreadsheet would act upon."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pimsim.errors import ConfigError, PimsimError, nearest
from pimsim.text import markdown, printable, shown


@given(st.text() | st.binary().map(lambda raw: raw.decode("utf-8", "surrogateescape")))
def test_no_control_character_passes(text: str) -> None:
    for made in (printable(text), shown(text), *str(PimsimError(text)).split("\n")):
        assert not {unicodedata.category(c) for c in made} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
        made.encode()


def test_messages_are_bounded() -> None:
    assert len(str(ConfigError("x" * 10_000_000))) < 3000
    assert str(ConfigError("a\n" * 100_000)).count("\n") <= 60
    assert "10,000 characters" in shown("y" * 10_000)
    assert nearest("z" * 1_000_000, ["zz"]) == ""


def test_text_stays_itself() -> None:
    text = "tRCD 12 ns: \u00b5 \u65e5\u672c"
    assert printable(text) == shown(text) == text == str(ConfigError(text))


@pytest.mark.parametrize("text", ["<img src=x>", "[a](http://x)", "a|b", "`code`", "**b**"])
def test_markup_is_escaped(text: str) -> None:
    made = markdown(text)
    assert made.replace("\\", "") == text
    assert all(made[i - 1] == "\\" for i, c in enumerate(made) if c in "<>[]|`*")
