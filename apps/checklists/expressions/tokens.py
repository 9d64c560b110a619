"""The tokeniser of the expression language and the one error it and the parser raise.

Positions count Unicode code points from 0; a port to a language with UTF-16 strings must count the same way.
Grammar lives in `parser`, meaning in `evaluation`.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

MAX_LENGTH = 1000
"""Longest expression accepted, in code points."""

MAX_NAME_LENGTH = 64
"""Longest step key or report field name."""

FUNCTIONS = frozenset({"answered", "selected", "count", "na", "unavailable", "photos"})
KEYWORDS = frozenset({"and", "or", "not", "in", "true", "false", "null", "report"})

RESERVED = FUNCTIONS | KEYWORDS
"""Words that cannot be step keys."""

DECIMAL_SHAPE = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,18})?")
"""A decimal number as written in an expression and in an answer: use with `fullmatch`."""

_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_GLUED_TO_NUMBER = re.compile(r"[A-Za-z0-9_.]")
_SYMBOL = re.compile(r"!=|<=|>=|[=<>()\[\],.]")
_NOT_IN_STRING = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


class ExpressionError(ValueError):
    """The text is not an expression; `code` says why and `position` where (code points from 0)."""

    def __init__(self, code: str, position: int) -> None:
        super().__init__(f"{code} at {position}")
        self.code = code
        self.position = position


class TokenKind(StrEnum):
    """What a token is; symbols and keywords carry their own text."""

    NAME = "name"
    WORD = "word"
    NUMBER = "number"
    STRING = "string"
    SYMBOL = "symbol"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """One token: its kind, its text (of a string: the value), and where it starts."""

    kind: TokenKind
    text: str
    position: int

    @property
    def number(self) -> Decimal:
        """The value of a number token."""
        return Decimal(self.text)


def tokenise(text: str) -> list[Token]:
    """Split `text` into tokens, ending with one END token. Raises ExpressionError."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError("too-long", MAX_LENGTH)
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        if text[position] in " \t\r\n":
            position += 1
            continue
        token, position = _next_token(text, position)
        tokens.append(token)
    tokens.append(Token(TokenKind.END, "", len(text)))
    return tokens


def _next_token(text: str, start: int) -> tuple[Token, int]:
    first = text[start]
    if first == "'":
        return _string(text, start)
    if first == "-" or "0" <= first <= "9":
        return _number(text, start)
    if name := _NAME.match(text, start):
        word = name.group()
        if len(word) > MAX_NAME_LENGTH:
            raise ExpressionError("bad-name", start)
        kind = TokenKind.WORD if word in RESERVED else TokenKind.NAME
        return Token(kind, word, start), name.end()
    if symbol := _SYMBOL.match(text, start):
        return Token(TokenKind.SYMBOL, symbol.group(), start), symbol.end()
    raise ExpressionError("unexpected-character", start)


def _number(text: str, start: int) -> tuple[Token, int]:
    found = _NUMBER.match(text, start)
    if (
        found is None
        or not DECIMAL_SHAPE.fullmatch(found.group())
        or _GLUED_TO_NUMBER.match(text, found.end())
    ):
        raise ExpressionError("bad-number", start)
    return Token(TokenKind.NUMBER, found.group(), start), found.end()


def _string(text: str, start: int) -> tuple[Token, int]:
    r"""Read a quoted string whose only escapes are ``\'`` and ``\\``."""
    value: list[str] = []
    position = start + 1
    while position < len(text):
        char = text[position]
        if char == "'":
            return Token(TokenKind.STRING, "".join(value), start), position + 1
        if char == "\\":
            position += 1
            char = text[position : position + 1]
            if char not in {"'", "\\"}:
                raise ExpressionError("bad-escape", position - 1)
        elif _NOT_IN_STRING.match(char):
            raise ExpressionError("bad-string", position)
        value.append(char)
        position += 1
    raise ExpressionError("unterminated-string", start)
