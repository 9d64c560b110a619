/**
 * The condition language of checklists, read: text to tree. The grammar is in docs/expressions.md; the same vectors hold
 * this reader and the server's (tests/vectors/expressions.json). What a tree means is in `evaluate`.
 */

import { type Decimal, decimal } from "./decimal.ts";
import { ExpressionError, FUNCTIONS, type Token, tokenise } from "./tokens.ts";

export { ExpressionError } from "./tokens.ts";

export type Literal = { readonly op: "literal"; readonly value: Decimal | string | boolean | null };
export type Reference =
  | { readonly op: "answer"; readonly key: string }
  | { readonly op: "report"; readonly field: string };
export type Call = {
  readonly op: "call";
  readonly name: string;
  readonly target: Reference;
  readonly argument: string | null;
};
export type Node =
  | Literal
  | Reference
  | Call
  | { readonly op: "compare"; readonly operator: string; readonly left: Node; readonly right: Node }
  | { readonly op: "in"; readonly left: Node; readonly items: readonly Literal[]; readonly negated: boolean }
  | { readonly op: "not"; readonly item: Node }
  | { readonly op: "and" | "or"; readonly items: readonly Node[] };

const MAX_DEPTH = 32;
const COMPARISONS = new Set(["=", "!=", "<", "<=", ">", ">="]);
const CONSTANTS = new Map<string, boolean | null>([
  ["true", true],
  ["false", false],
  ["null", null],
]);
const ONLY_STEPS = new Set(["na", "unavailable", "photos"]);

/** Read a condition. Throws ExpressionError. */
export function parse(text: string): Node {
  const parser = new Parser(tokenise(text));
  if (parser.atEnd) throw new ExpressionError("empty", 0);
  const tree = parser.disjunction();
  if (!parser.atEnd) throw parser.unexpected();
  return tree;
}

/** List the step keys a condition uses, each once. */
export function references(tree: Node): ReadonlySet<string> {
  const keys = new Set<string>();
  const visit = (node: Node): void => {
    if (node.op === "answer") keys.add(node.key);
    else if (node.op === "call") visit(node.target);
    else if (node.op === "not") visit(node.item);
    else if (node.op === "and" || node.op === "or") node.items.forEach(visit);
    else if (node.op === "in") visit(node.left);
    else if (node.op === "compare") [node.left, node.right].forEach(visit);
  };
  visit(tree);
  return keys;
}

class Parser {
  private index = 0;
  private depth = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  get atEnd(): boolean {
    return this.token.kind === "end";
  }

  unexpected(): ExpressionError {
    return new ExpressionError(this.atEnd ? "unexpected-end" : "unexpected-token", this.token.position);
  }

  disjunction(): Node {
    return this.chain("or", () => this.chain("and", () => this.negation()));
  }

  private get token(): Token {
    return this.tokens[this.index] as Token;
  }

  private take(): Token {
    const token = this.token;
    this.index += 1;
    return token;
  }

  private accept(kind: Token["kind"], text: string): boolean {
    if (this.token.kind !== kind || this.token.text !== text) return false;
    this.index += 1;
    return true;
  }

  private expect(symbol: string): void {
    if (!this.accept("symbol", symbol)) throw this.unexpected();
  }

  private enter(position: number): void {
    this.depth += 1;
    if (this.depth > MAX_DEPTH) throw new ExpressionError("too-deep", position);
  }

  private chain(op: "and" | "or", part: () => Node): Node {
    const first = part();
    const items = [first];
    while (this.accept("word", op)) items.push(part());
    return items.length === 1 ? first : { op, items };
  }

  private negation(): Node {
    const { position } = this.token;
    if (!this.accept("word", "not")) return this.comparison();
    this.enter(position);
    const item = this.negation();
    this.depth -= 1;
    return { op: "not", item };
  }

  private comparison(): Node {
    const left = this.operand();
    if (this.token.kind === "symbol" && COMPARISONS.has(this.token.text)) {
      const operator = this.take().text;
      return { op: "compare", operator, left, right: this.operand() };
    }
    if (this.accept("word", "in")) return { op: "in", left, items: this.list(), negated: false };
    if (this.accept("word", "not")) {
      if (!this.accept("word", "in")) throw this.unexpected();
      return { op: "in", left, items: this.list(), negated: true };
    }
    return left;
  }

  private list(): Literal[] {
    this.expect("[");
    const items = [this.listItem()];
    while (this.accept("symbol", ",")) items.push(this.listItem());
    this.expect("]");
    return items;
  }

  private listItem(): Literal {
    const { position } = this.token;
    const literal = this.literal();
    if (literal === null) throw this.unexpected();
    if (literal.value === null) throw new ExpressionError("unexpected-token", position);
    return literal;
  }

  private literal(): Literal | null {
    const { kind, text } = this.token;
    let value: Literal["value"];
    if (kind === "number") value = decimal(text);
    else if (kind === "string") value = text;
    else if (kind === "word" && CONSTANTS.has(text)) value = CONSTANTS.get(text) as boolean | null;
    else return null;
    this.index += 1;
    return { op: "literal", value };
  }

  private operand(): Node {
    const { position, kind, text } = this.token;
    if (this.accept("symbol", "(")) {
      this.enter(position);
      const inside = this.disjunction();
      this.expect(")");
      this.depth -= 1;
      return inside;
    }
    if (kind === "word" && FUNCTIONS.has(text)) return this.call();
    return this.literal() ?? this.reference();
  }

  private reference(): Reference {
    const { kind, text, position } = this.token;
    if (kind === "word" && text === "report") {
      this.index += 1;
      this.expect(".");
      if (this.token.kind !== "name") throw this.unexpected();
      return { op: "report", field: this.take().text };
    }
    if (kind !== "name") throw this.unexpected();
    this.index += 1;
    if (this.token.kind === "symbol") {
      if (this.token.text === "(") throw new ExpressionError("unknown-function", position);
      if (this.token.text === ".") throw new ExpressionError("unknown-namespace", position);
    }
    return { op: "answer", key: text };
  }

  private call(): Call {
    const name = this.take().text;
    this.expect("(");
    const { position, kind } = this.token;
    if (kind === "number" || kind === "string") throw new ExpressionError("bad-argument", position);
    const target = this.reference();
    if (ONLY_STEPS.has(name) && target.op === "report") throw new ExpressionError("bad-argument", position);
    const argument = name === "selected" ? this.option() : null;
    this.expect(")");
    return { op: "call", name, target, argument };
  }

  private option(): string {
    this.expect(",");
    if (this.atEnd) throw this.unexpected();
    if (this.token.kind !== "string") throw new ExpressionError("bad-argument", this.token.position);
    return this.take().text;
  }
}
