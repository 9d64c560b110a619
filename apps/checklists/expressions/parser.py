"""The recursive-descent parser of the expression language; the grammar is in `docs/expressions.md`.

Bounded by MAX_LENGTH (in `tokens`) and MAX_DEPTH, so that hostile text can neither run long nor exhaust
the stack.
"""

from apps.checklists.expressions.tokens import (
    FUNCTIONS,
    ExpressionError,
    Token,
    TokenKind,
    tokenise,
)
from apps.checklists.expressions.tree import (
    And,
    Call,
    Compare,
    In,
    Literal,
    Node,
    Not,
    Or,
    ReportField,
    StepAnswer,
)

MAX_DEPTH = 32
"""Deepest nesting of parentheses and `not` accepted."""

_COMPARISONS = frozenset({"=", "!=", "<", "<=", ">", ">="})
_CONSTANTS = {"true": True, "false": False, "null": None}
_ONLY_STEPS = frozenset({"na", "unavailable", "photos"})


def parse(text: str) -> Node:
    """Parse an expression. Raises ExpressionError with a code and a position."""
    parser = _Parser(tokenise(text))
    if parser.at_end():
        raise ExpressionError("empty", 0)
    tree = parser.disjunction()
    if not parser.at_end():
        raise parser.unexpected()
    return tree


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._index = 0
        self._depth = 0

    @property
    def token(self) -> Token:
        return self._tokens[self._index]

    def at_end(self) -> bool:
        return self.token.kind is TokenKind.END

    def unexpected(self) -> ExpressionError:
        code = "unexpected-end" if self.at_end() else "unexpected-token"
        return ExpressionError(code, self.token.position)

    def _take(self) -> Token:
        token = self.token
        self._index += 1
        return token

    def _accept(self, kind: TokenKind, text: str) -> bool:
        if self.token.kind is kind and self.token.text == text:
            self._index += 1
            return True
        return False

    def _expect(self, symbol: str) -> None:
        if not self._accept(TokenKind.SYMBOL, symbol):
            raise self.unexpected()

    def _enter(self, position: int) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ExpressionError("too-deep", position)

    def disjunction(self) -> Node:
        items = [self._conjunction()]
        while self._accept(TokenKind.WORD, "or"):
            items.append(self._conjunction())
        return items[0] if len(items) == 1 else Or(tuple(items))

    def _conjunction(self) -> Node:
        items = [self._negation()]
        while self._accept(TokenKind.WORD, "and"):
            items.append(self._negation())
        return items[0] if len(items) == 1 else And(tuple(items))

    def _negation(self) -> Node:
        position = self.token.position
        if not self._accept(TokenKind.WORD, "not"):
            return self._comparison()
        self._enter(position)
        item = self._negation()
        self._depth -= 1
        return Not(item)

    def _comparison(self) -> Node:
        left = self._operand()
        if self.token.kind is TokenKind.SYMBOL and self.token.text in _COMPARISONS:
            operator = self._take().text
            return Compare(operator, left, self._operand())
        if self._accept(TokenKind.WORD, "in"):
            return In(left, self._list())
        if self._accept(TokenKind.WORD, "not"):
            if not self._accept(TokenKind.WORD, "in"):
                raise self.unexpected()
            return In(left, self._list(), negated=True)
        return left

    def _list(self) -> tuple[Literal, ...]:
        self._expect("[")
        items = [self._list_item()]
        while self._accept(TokenKind.SYMBOL, ","):
            items.append(self._list_item())
        self._expect("]")
        return tuple(items)

    def _list_item(self) -> Literal:
        token = self.token
        literal = self._literal()
        if literal is None:
            raise self.unexpected()
        if literal.value is None:
            raise ExpressionError("unexpected-token", token.position)
        return literal

    def _literal(self) -> Literal | None:
        token = self.token
        if token.kind is TokenKind.NUMBER:
            literal = Literal(token.number)
        elif token.kind is TokenKind.STRING:
            literal = Literal(token.text)
        elif token.kind is TokenKind.WORD and token.text in _CONSTANTS:
            literal = Literal(_CONSTANTS[token.text])
        else:
            return None
        self._index += 1
        return literal

    def _operand(self) -> Node:
        position = self.token.position
        if self._accept(TokenKind.SYMBOL, "("):
            self._enter(position)
            inside = self.disjunction()
            self._expect(")")
            self._depth -= 1
            return inside
        if self.token.kind is TokenKind.WORD and self.token.text in FUNCTIONS:
            return self._call()
        return self._literal() or self._reference()

    def _reference(self) -> StepAnswer | ReportField:
        token = self.token
        if token.kind is TokenKind.WORD and token.text == "report":
            self._index += 1
            self._expect(".")
            if self.token.kind is not TokenKind.NAME:
                raise self.unexpected()
            return ReportField(self._take().text)
        if token.kind is not TokenKind.NAME:
            raise self.unexpected()
        self._index += 1
        if self.token.kind is TokenKind.SYMBOL:
            if self.token.text == "(":
                raise ExpressionError("unknown-function", token.position)
            if self.token.text == ".":
                raise ExpressionError("unknown-namespace", token.position)
        return StepAnswer(token.text)

    def _call(self) -> Call:
        name = self._take().text
        self._expect("(")
        position = self.token.position
        if self.token.kind in (TokenKind.NUMBER, TokenKind.STRING):
            raise ExpressionError("bad-argument", position)
        target = self._reference()
        if name in _ONLY_STEPS and isinstance(target, ReportField):
            raise ExpressionError("bad-argument", position)
        argument = self._option() if name == "selected" else None
        self._expect(")")
        return Call(name, target, argument)

    def _option(self) -> str:
        self._expect(",")
        if self.at_end():
            raise self.unexpected()
        if self.token.kind is not TokenKind.STRING:
            raise ExpressionError("bad-argument", self.token.position)
        return self._take().text
