"""What a check holds of things that belong to a submission: their fields, without their class.

A dataclass, a named tuple, a member of an enumeration, an exception, a picture and a figure have
code of their own, which stays where it is. Their names and values cross and are looked up here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

MAX_FIELDS = 200
MAX_FIELD_NAME = 100
MAX_KINDS = 8
MAX_MESSAGE = 2_000


class Record:
    """Named values: of a dataclass, or of a figure. `point.x`, `point["x"]` and `list(point)`.

        item = submission.Item("tea", 2.5).value()  # an object of a dataclass
        assert_equal((item.name, item.price), ("tea", 2.5), "name and price")

    It is equal to a record of the same name with equal values; a field may have any name.
    """

    __slots__ = ("_name", "_values")

    def __init__(self, name: str, values: dict[str, Any]) -> None:
        object.__setattr__(self, "_name", name)
        object.__setattr__(self, "_values", values)

    def __getattr__(self, name: str) -> Any:
        try:
            return object.__getattribute__(self, "_values")[name]
        except KeyError:
            raise AttributeError(f"a {name_of(self)} has no field {name!r}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError("what was fetched from a submission is a copy: it stays as it was")

    def __getitem__(self, name: str) -> Any:
        return fields_of(self)[name]

    def __iter__(self) -> Iterator[str]:
        return iter(fields_of(self))

    def __dir__(self) -> list[str]:
        return list(fields_of(self))

    def __eq__(self, other: object) -> bool:
        if type(other) is not Record:
            return NotImplemented
        return name_of(self) == name_of(other) and fields_of(self) == fields_of(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        told = ", ".join(f"{name}={value!r}" for name, value in fields_of(self).items())
        return f"{name_of(self)}({told})"


class NamedValues(tuple[Any, ...]):
    """A named tuple's values: a tuple, whose items have names, too.

        point = submission.midpoint((0, 0), (4, 2)).value()
        assert_equal(point.x, 2, "the midpoint's x")
        assert_equal(point, (2, 1), "the midpoint")

    `assert_equal` takes it for a tuple: whether there are names is for a check to ask.
    """

    _name: str
    _fields: tuple[str, ...]

    def __new__(cls, name: str, fields: tuple[str, ...], values: tuple[Any, ...]) -> NamedValues:
        """Make one of a class's name, its fields' names, and as many values."""
        made = super().__new__(cls, values)
        made._name, made._fields = name, fields
        return made

    def __getattr__(self, name: str) -> Any:
        if name not in ("_name", "_fields") and name in self._fields:
            return self[self._fields.index(name)]
        raise AttributeError(f"a named tuple without a field {name!r}")

    def __repr__(self) -> str:
        told = ", ".join(f"{n}={v!r}" for n, v in zip(self._fields, self, strict=True))
        return f"{self._name}({told})"


class Member:
    """A member of an enumeration: the enumeration's name, its own, and its value.

        light = submission.next_light("red").value()
        assert_equal((light.enumeration, light.name), ("Light", "GREEN"), "the next light")
        assert_equal(light, reference.Light.GREEN, "the next light")

    Two are equal if all three are.
    """

    __slots__ = ("enumeration", "name", "value")

    def __init__(self, enumeration: str, name: str, value: Any) -> None:
        self.enumeration = enumeration
        self.name = name
        self.value = value

    def __eq__(self, other: object) -> bool:
        if type(other) is not Member:
            return NotImplemented
        return (self.enumeration, self.name) == (other.enumeration, other.name) and (
            self.value == other.value
        )

    def __hash__(self) -> int:
        return hash((self.enumeration, self.name))

    def __repr__(self) -> str:
        return f"{self.enumeration}.{self.name}"


class Raised:
    """An exception that a submission gave as a value.

        problem = submission.find_problem("12a").value()  # one that is returned, not raised
        assert_equal(problem.kinds[0], "ValueError", "the kind of problem")

    Attributes:
        kinds: the names of its class and of its bases, the class first.
        message: its text.
        args: what it was made of; None where that is no plain data.
    """

    __slots__ = ("args", "kinds", "message")

    def __init__(self, kinds: tuple[str, ...], message: str, args: tuple[Any, ...] | None) -> None:
        self.kinds = kinds
        self.message = message
        self.args = args

    def __eq__(self, other: object) -> bool:
        if type(other) is not Raised:
            return NotImplemented
        mine, theirs = (self.kinds[0], self.message), (other.kinds[0], other.message)
        return mine == theirs

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{self.kinds[0]}({self.message!r})"


def fields_of(record: Record) -> dict[str, Any]:
    """The values of a record by their names."""
    values: dict[str, Any] = object.__getattribute__(record, "_values")
    return values


def name_of(value: Record | NamedValues) -> str:
    """The name of the class that a record or a named tuple had."""
    name: str = object.__getattribute__(value, "_name")
    return name
