"""The parts of a Hydra override: ``group=option``, ``group@package=option``, ``+key.path=value``, ``~key``."""

from __future__ import annotations

import re
from collections.abc import Iterable

MASKED = "***"  # stands for the password of a URL, as SQLAlchemy shows it
_PASSWORD = re.compile(r"(?<=://)([^:/@]*):[^@]*@")
_PASSWORD_FIELD = re.compile(r"([?&]\w*password)=[^&]*", re.IGNORECASE)


def is_override(word: str) -> bool:
    """Whether a word of the command line is one, and neither a flag nor a flag's value."""
    return word.startswith("~") or ("=" in word and not word.startswith("-"))


def key_of(override: str) -> str:
    """What it sets, without the sign in front.

    Examples
    --------
    >>> [key_of(one) for one in ("loss=none", "++output.dir=o", "~loss.gamma")]
    ['loss', 'output.dir', 'loss.gamma']
    """
    return override.partition("=")[0].lstrip("+~")


def group_of(override: str) -> str:
    """Conf group or root section that it is about.

    Examples
    --------
    >>> [group_of(one) for one in ("loss@other=none", "+loss.gamma=3", "seed=1")]
    ['loss', 'loss', 'seed']
    """
    return key_of(override).partition("@")[0].partition(".")[0]


def about(overrides: Iterable[str], *groups: str) -> list[str]:
    """Those that are about one of the groups."""
    return [override for override in overrides if group_of(override) in groups]


def inner_key_of(override: str) -> str:
    """Key inside its group; empty where it sets a group as a whole.

    Examples
    --------
    >>> [inner_key_of(one) for one in ("loss=focal/standard", "+loss.gamma=3", "label=ATR0.5_1.5_H4")]
    ['', 'gamma', '']
    """
    return key_of(override).partition("@")[0].partition(".")[2]


def value_of(override: str) -> str:
    """What it sets its key to, without quotes.

    Examples
    --------
    >>> value_of("output.dir='my runs'")
    'my runs'
    """
    return override.partition("=")[2].strip("'\"")


def quoted(key: str, value: object) -> str:
    """Override that sets a key to a text as it stands, whatever Hydra's grammar makes of the signs in it.

    Examples
    --------
    >>> quoted("output.dir", "/runs/a,b's")
    "output.dir='/runs/a,b\\\\'s'"
    >>> print(quoted("output.dir", "/runs/${x}"))
    output.dir='/runs/\\${x}'
    """
    literal = re.sub(r"(\\*)\$\{", lambda found: f"{2 * found[1]}\\${{", str(value))  # else it names another key
    return f"{key}={quoted_text(literal)}"


def quoted_text(value: str) -> str:
    """One value of an override, in quotes; ``${...}`` in it stays an interpolation.

    Examples
    --------
    >>> print(quoted_text("a,b's"))
    'a,b\\'s'
    """
    text = re.sub(r"(\\*)('|$)", lambda found: 2 * found[1] + ("\\'" if found[2] else ""), value)
    return f"'{text}'"


def without_password(override: str) -> str:
    """The override with every password of a URL in it masked: what is written down is read by others.

    Examples
    --------
    >>> without_password("store.url=postgresql+psycopg://me:secret@host/name")
    'store.url=postgresql+psycopg://me:***@host/name'
    """
    return _PASSWORD_FIELD.sub(rf"\1={MASKED}", _PASSWORD.sub(rf"\1:{MASKED}@", override))
