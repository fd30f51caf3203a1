"""Values print themselves alike on every runtime, come back from their text and hide secrets."""

import pytest

from anchorwatch.core import actions, events, meanings
from anchorwatch.core.record import Record, show

HARD = (
    {"b": 1, "a": {"z": [1, 2], "y": ()}},
    "it's \\ \n \x7f \xe9 \u20ac \U0001f600",
    b"it's \\ \x00\xff",
    (1,),
    [None, True, False, -5, 2**70],
    {},
    "",
)
KINDS = [
    kind
    for module in (actions, events, meanings)
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, Record) and kind is not Record
]


@pytest.mark.parametrize("value", HARD, ids=repr)
def test_the_text_of_a_value_restores_it_in_plain_ascii(value):
    text = show(value)
    assert text.isascii() and text.isprintable()
    assert eval(text, {}) == value


def test_dicts_are_shown_in_one_order():
    assert show({"b": 1, "a": 2}) == show({"a": 2, "b": 1}) == "{'a': 2, 'b': 1}"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_record_comes_back_from_its_text_unless_it_hides_something(kind):
    made = kind(*["v%d" % n for n in range(len(kind.fields))])
    text = repr(made)
    if kind.secret:
        assert "..." in text
        assert not [f for f in kind.secret if show(getattr(made, f)) in text]
    else:
        assert eval(text, {kind.__name__: kind}) == made


def test_records_compare_by_kind_and_content():
    assert events.Ponged("live") == events.Ponged("live")
    assert events.Ponged("live") != events.Ponged("next")
    assert events.Ponged("live") != meanings.Register("live")
    assert len({events.Ponged("live"), events.Ponged("live")}) == 1


@pytest.mark.parametrize("values", [(), ("a", "b")])
def test_a_record_with_too_few_or_too_many_values_is_refused(values):
    with pytest.raises(TypeError, match="Ponged takes link"):
        events.Ponged(*values)


def test_a_secret_that_is_not_there_is_shown_as_none():
    connect = actions.Connect("live", "dev-7", "user", None, 240, False)
    assert "password=None" in repr(connect)
