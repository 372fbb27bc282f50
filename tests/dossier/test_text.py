import math

import pytest

from ftfkit.dossier import text


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
@pytest.mark.parametrize("printed", [text.number, text.p_value, text.count, text.percent, text.compact])
def test_an_undefined_figure_is_never_a_number(value, printed):
    assert printed(value) == "n/a"


@pytest.mark.parametrize(
    ("value", "signed", "expected"),
    [(-0.06972, True, "-0.0697"), (0.01504, True, "+0.0150"), (-0.00001, True, "+0.0000"), (-0.00001, False, "0.0000")],
)
def test_number_keeps_its_sign_unless_it_rounds_to_zero(value, signed, expected):
    assert text.number(value, signed=signed) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(6.1e-8, "6.10e-08"), (0.0375, "0.0375"), (0.0, "0.0000"), (1.0, "1.0000")]
)
def test_p_value(value, expected):
    assert text.p_value(value) == expected


@pytest.mark.parametrize(("value", "expected"), [(8784, "8,784"), (8784.0, "8,784"), (47.44, "47.4")])
def test_count(value, expected):
    assert text.count(value) == expected


def test_listed_counts_what_it_leaves_out():
    assert text.listed("abcd", limit=2) == "a, b and 2 more"
    assert text.listed("ab", limit=2) == "a, b"
