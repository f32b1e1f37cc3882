import type { Expression } from './expression';
import { invalidCondition } from './problem';
import { type Token, tokensOf } from './tokens';

/** How a condition compares. */
export type Operator = '==' | '!=' | '<' | '<=' | '>' | '>=';

/** A comparison as it is written; whether it makes sense is not known yet. */
export interface WrittenComparison {
  readonly left: Token;
  readonly operator: Operator;
  readonly right: Token;
}

/** Longest condition, in characters. */
export const LONGEST_CONDITION = 1000;
/** How deep parentheses and `not` may stand in each other. */
export const DEEPEST_NESTING = 32;

/** Reads the structure of a condition: `not` binds closest, then `and`, then `or`. @throws Fault `config`/`invalid_config` */
export function parseStructure(text: string): Expression<WrittenComparison> {
  if (text.length > LONGEST_CONDITION) {
    const message = `a condition has at most ${LONGEST_CONDITION} characters, this one ${text.length}`;
    throw invalidCondition(text, [{ at: LONGEST_CONDITION, message }]);
  }
  return new Parser(text).whole();
}

class Parser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokensOf(text);
  }

  whole(): Expression<WrittenComparison> {
    if (this.#peek().kind === 'end') throw this.#wrong(this.#peek(), 'the condition is empty');
    const expression = this.#or();
    const rest = this.#peek();
    if (rest.kind === 'close') throw this.#wrong(rest, 'there is no "(" for this ")"');
    if (rest.kind !== 'end') throw this.#wrong(rest, `expected "and", "or" or the end, not ${shown(rest)}`);
    return expression;
  }

  #or(): Expression<WrittenComparison> {
    return this.#joined('or', () => this.#joined('and', () => this.#not()));
  }

  #joined(kind: 'and' | 'or', part: () => Expression<WrittenComparison>): Expression<WrittenComparison> {
    const first = part();
    const of = [first];
    while (this.#takes(kind)) of.push(part());
    return of.length === 1 ? first : { kind, of };
  }

  #not(): Expression<WrittenComparison> {
    const token = this.#peek();
    if (this.#takes('not')) return { kind: 'not', of: this.#deeper(token, () => this.#not()) };
    if (!this.#takes('open')) return this.#comparison();
    const inner = this.#deeper(token, () => this.#or());
    if (!this.#takes('close')) {
      throw this.#wrong(this.#peek(), `expected ")" for the "(" at column ${token.at + 1}, not ${shown(this.#peek())}`);
    }
    return inner;
  }

  #deeper<T>(token: Token, work: () => T): T {
    this.#depth++;
    if (this.#depth > DEEPEST_NESTING) throw this.#wrong(token, `nested deeper than ${DEEPEST_NESTING}`);
    const result = work();
    this.#depth--;
    return result;
  }

  #comparison(): Expression<WrittenComparison> {
    const left = this.#operand();
    const sign = this.#peek();
    if (sign.kind !== 'compare') {
      throw this.#wrong(sign, `expected a comparison (== != < <= > >=) after ${shown(left)}, not ${shown(sign)}`);
    }
    this.#next++;
    const right = this.#operand();
    if (this.#peek().kind === 'compare') {
      throw this.#wrong(this.#peek(), 'comparisons cannot be chained; join two with "and"');
    }
    return { kind: 'leaf', leaf: { left, operator: sign.text as Operator, right } };
  }

  #operand(): Token {
    const token = this.#peek();
    if (token.kind !== 'name' && token.kind !== 'number' && token.kind !== 'text') {
      throw this.#wrong(token, `expected a name, a number or a quoted text, not ${shown(token)}`);
    }
    this.#next++;
    return token;
  }

  #takes(kind: Token['kind']): boolean {
    if (this.#peek().kind !== kind) return false;
    this.#next++;
    return true;
  }

  #peek(): Token {
    return this.#tokens[this.#next] ?? { kind: 'end', text: '', at: this.#text.length };
  }

  #wrong({ at }: Token, message: string) {
    return invalidCondition(this.#text, [{ at, message }]);
  }
}

function shown({ kind, text }: Token): string {
  if (kind === 'end') return 'the end';
  return kind === 'text' ? `'${text}'` : `"${text}"`;
}
