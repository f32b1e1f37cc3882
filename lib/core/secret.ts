import { secretForms } from './secret-forms';

const HIDDEN = '[secret]';
const SHORTEST_REDACTED = 4;

/** A value that shows itself only when asked by name: text, JSON and inspection give `[secret]`. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return HIDDEN;
  }
}

/**
 * Takes the values of secrets out of any text, wherever they surface and however the field is called: as they are, encoded
 * for URLs, JSON, SQL and HTML, within base64 (as in the header of basic authentication), and line by line.
 * Values shorter than four characters are not searched for: they would tear holes into every text.
 */
export class Redactor {
  readonly #values = new Set<string>();
  // A value may be a part of another one: whatever is longer goes first, or its remains would show.
  #longestFirst: readonly string[] | undefined;

  add(value: string): void {
    if (value.length < SHORTEST_REDACTED || this.#values.has(value)) return;
    for (const form of secretForms(value)) this.#values.add(form);
    this.#longestFirst = undefined;
  }

  redact(text: string): string {
    this.#longestFirst ??= [...this.#values].sort((left, right) => right.length - left.length);
    let result = text;
    for (const value of this.#longestFirst) result = result.replaceAll(value, HIDDEN);
    return result;
  }
}
