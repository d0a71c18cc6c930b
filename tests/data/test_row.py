"""Rows; the expected texts and errors are those of PyFlink 2.3."""

import copy
import pickle

import pytest

from penstock.data.row import Row, RowKind, new_row, rows_of

PERSON = Row("name", "age")
NAMED = Row(name="A", id=1)
DELETED = Row.of_kind(RowKind.DELETE, "a", 1)


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (Row(), "<Row()>"),
        (PERSON, "<Row('name', 'age')>"),
        (PERSON("A", 1), "Row(name='A', age=1)"),
        (PERSON("A"), "Row(name='A')"),
        (DELETED, "<Row('a', 1)>"),
        (Row(NAMED, Row("a")), "<Row(Row(name='A', id=1), <Row('a')>)>"),
        (Row(1, None, "x", 1.5, True, b"a", [Row(1)]), "<Row(1, None, 'x', 1.5, True, b'a', [<Row(1)>])>"),
    ],
)
def test_a_row_is_written_as_pyflink_writes_it(row, text):
    assert repr(row) == text
    assert str(row) == text


def test_fields_are_found_by_position_name_and_attribute():
    assert (NAMED[0], NAMED[-1], NAMED["id"], NAMED.id, NAMED[0:1]) == ("A", 1, 1, 1, ["A"])
    assert NAMED._fields == ["name", "id"]
    row = Row(a=1, b=2)
    row["b"] = 7
    row[0] = 5
    assert list(row) == [5, 7]


def test_in_looks_at_names_where_there_are_some_and_at_values_elsewhere():
    assert "id" in NAMED
    assert "A" not in NAMED
    assert "a" in DELETED


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (lambda: Row("a", x=1), ValueError),
        (lambda: PERSON("A", 1, 2), ValueError),
        (lambda: DELETED[5], IndexError),
        (lambda: DELETED["x"], AttributeError),
        (lambda: NAMED["zz"], ValueError),
        (lambda: NAMED.zz, AttributeError),
        (lambda: DELETED.zz, AttributeError),
        (lambda: DELETED._fields, AttributeError),
        (DELETED.as_dict, TypeError),
        (lambda: NAMED.get_fields_by_names(["zz"]), ValueError),
        (lambda: setattr(NAMED, "foo", 1), AttributeError),
        (lambda: DELETED.__setitem__("x", 1), KeyError),
        (lambda: NAMED.__setitem__("x", 1), ValueError),
        (lambda: hash(Row([1])), TypeError),
        (lambda: Row(1) < Row(2), TypeError),
    ],
)
def test_a_wrong_use_is_an_error_of_the_kind_that_pyflink_raises(wrong, error):
    with pytest.raises(error):
        wrong()


def test_rows_are_equal_by_kind_names_and_values():
    assert Row("a", 1) == Row("a", 1)
    assert Row("a", 1) != DELETED
    assert Row(a=1, b=2) == Row(b=2, a=1)
    assert Row(a=1) != Row(1)
    assert Row("a", 1) != ("a", 1)


def test_equal_rows_hash_alike_and_can_be_keys():
    assert hash(Row(1, 2)) == hash((1, 2))
    assert hash(Row(a=1, b=2)) == hash(Row(b=2, a=1))
    assert {Row(a=1, b=2): "x"}[Row(b=2, a=1)] == "x"


def test_a_row_becomes_a_dict_through_lists_and_dicts_but_not_tuples():
    row = Row(a=NAMED, b=[NAMED], c={"k": NAMED}, d=(NAMED,))
    plain = {"name": "A", "id": 1}
    assert row.as_dict(True) == {"a": plain, "b": [plain], "c": {"k": plain}, "d": (NAMED,)}
    assert Row(a=NAMED).as_dict() == {"a": NAMED}


def test_fields_by_names_follow_the_names_and_rows_without_names_give_everything():
    assert NAMED.get_fields_by_names(["id", "name"]) == [1, "A"]
    assert DELETED.get_fields_by_names(["x"]) == ["a", 1]


def test_kind_and_names_survive_pickling_and_copying():
    row = Row.of_kind(RowKind.UPDATE_AFTER, a=1)
    for twin in (pickle.loads(pickle.dumps(row)), copy.deepcopy(row), copy.copy(row)):
        assert twin == row
        assert twin.get_row_kind() is RowKind.UPDATE_AFTER
        assert repr(twin) == "Row(a=1)"
    assert DELETED("x", "y").get_row_kind() is RowKind.DELETE


def test_names_can_be_given_later():
    row = Row(1, 2)
    row.set_field_names(["x", "y"])
    row.set_row_kind(RowKind.UPDATE_BEFORE)
    assert (row.x, row.get_row_kind(), str(row.get_row_kind())) == (1, RowKind.UPDATE_BEFORE, "-U")


def test_the_engine_makes_rows_without_copying():
    values = [1, 2]
    row = new_row(values, ["a", "b"])
    values[0] = 9
    assert row.a == 9
    assert rows_of([[1], [2]], ["a"]) == [Row(a=1), Row(a=2)]
    assert not Row()
