"""The errors of this package.

InputError                     (tools.errors) a file is wrong: place, problem, remedy
└── ConditionError             a CEL expression is wrong: with caret and suggestion
"""

from tools.errors import InputError


class ConditionError(InputError):
    """A condition names something unknown, has the wrong type, or fails on a sample record."""
