"""The traps of YAML are refused with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from pimsim.config.strict_yaml import load_yaml, parse_scalar, parse_yaml
from pimsim.errors import ConfigError

TRAPS = {
    "duplicate key": ("a: 1\nb: 2\na: 3\n", "line 3: key 'a' is given twice (first in line 1)"),
    "duplicate key inside": ("g:\n  a: 1\n  a: 1\n", "line 3: key 'a' is given twice (first in line 2)"),
    "duplicate key in braces": ("g: {a: 1, 'a': 2}\n", "line 1: key 'a' is given twice"),
    "exponent without point": ("a: 1e-9\n", "'1e-9' is read as text, not as a number"),
    "exponent without sign": ("a: 1.5e9\n", "'1.5e9' is read as text, not as a number"),
    "yes": ("a: yes\n", "'yes' is a boolean in some YAML versions"),
    "No": ("a: No\n", "'No' is a boolean in some YAML versions"),
    "off": ("a: [1, off]\n", "'off' is a boolean in some YAML versions"),
    "base 60": ("a: 1:30\n", "'1:30' is a base-60 number"),
    "base 60 with point": ("a: 1:30.5\n", "'1:30.5' is a base-60 number"),
    "octal": ("a: 010\n", "'010' is octal in some YAML versions"),
    "octal zero": ("a: -007\n", "'-007' is octal in some YAML versions"),
    "infinity": ("a: .inf\n", "'.inf' is not a finite number"),
    "not a number": ("a: .nan\n", "'.nan' is not a finite number"),
    "overflow": ("a: 1.0e+999\n", "'1.0e+999' is not a finite number"),
    "beyond 64 bits": ("a: 9223372036854775808\n", "is a number beyond 64 bits"),
    "merge": ("a: &x {b: 1}\nc:\n  <<: {b: 2}\n", "line 3: '<<' merges are not allowed"),
    "alias": ("a: &x {b: 1}\nc: *x\n", "line 2: aliases (*name) are not allowed"),
    "alias of itself": ("a: &x\n  b: *x\n", "line 2: aliases (*name) are not allowed"),
    "number as key": ("5: 1\n", "keys must be plain names, not '5'"),
    "boolean as key": ("on: 1\n", "keys must be plain names, not 'on'"),
    "nothing as key": ("~: 1\n", "keys must be plain names, not '~'"),
    "list as key": ("? [a]\n: 1\n", "keys must be plain names, not a list or a mapping"),
    "wrong tag": ("a: !!int abc\n", "'abc' is not a value of type int"),
    "wrong boolean tag": ("a: !!bool maybe\n", "'maybe' is not a value of type bool"),
    "digits missing": ("a: 0x_\n", "'0x_' is not a value of type int"),
    "code": ("a: !!python/object/apply:os.system [id]\n", "line 1: not valid YAML"),
    "list": ("- 1\n", "must be a mapping of keys to values, found list"),
    "nothing": ("", "must be a mapping of keys to values, found NoneType"),
    "two documents": ("a: 1\n---\nb: 1\n", "not valid YAML"),
    "open bracket": ("a: [1\nb: 2\n", "not valid YAML"),
    "control character": ("a: \0\n", "not valid YAML"),
    "depth": ("a: " + "[" * 3000, "nested too deeply"),
}


@pytest.mark.parametrize("text, message", TRAPS.values(), ids=TRAPS)
def test_trap(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_yaml(text, "some.yaml")
    assert str(raised.value).startswith("some.yaml:")
    assert message in str(raised.value)


def test_what_people_write_is_read_as_they_mean_it() -> None:
    text = "a: 1\nb: -2.5\nc: 1.0e-9\nd: 1.5e+9\ne: true\nf: text\ng: 'yes'\nh: '010'\ni: [1, 2]\nj: 0x10\nk: 2024-01-01\nl: 0\n"
    assert parse_yaml(text, "x") == {
        "a": 1, "b": -2.5, "c": 1e-9, "d": 1.5e9, "e": True, "f": "text",
        "g": "yes", "h": "010", "i": [1, 2], "j": 16, "k": "2024-01-01", "l": 0,
    }  # fmt: skip


def test_unreadable_files(tmp_path: Path) -> None:
    binary, large = tmp_path / "b.yaml", tmp_path / "l.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    large.write_text("a: 1\n" * 300_000)
    for path, message in ((binary, "is not a text file"), (large, "larger than"), (tmp_path / "no.yaml", "cannot be read")):
        with pytest.raises(ConfigError, match=message) as raised:
            load_yaml(path)
        assert str(path) in str(raised.value)


@pytest.mark.parametrize(
    "text, value", [("5", 5), ("0.5", 0.5), ("true", True), ("abc", "abc"), ("[1, 2]", [1, 2]), ("[1", "[1")]
)
def test_scalar_of_the_command_line(text: str, value: object) -> None:
    assert parse_scalar(text) == value


@pytest.mark.parametrize("text", ["yes", "1e-9", "010", "1:30", "!!int abc", "&a [*a]", "[" * 5000])
def test_traps_of_the_command_line(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_scalar(text)
