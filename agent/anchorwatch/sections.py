"""The settings of one section, as attributes.

Rule: it knows no setting, so that a board can keep the values and let go of the table.
"""


class Section:
    """`values`: {key: value}."""

    def __init__(self, values: dict) -> None:
        for key in values:
            setattr(self, key, values[key])

    def __repr__(self) -> str:
        return "Section(%s)" % ", ".join(sorted(self.__dict__))
