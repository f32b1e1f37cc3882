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
 * Takes the values of secrets out of any text, wherever they surface and however the field is called, also in their
 * URL-encoded and JSON-escaped forms. Values shorter than four characters are not searched for: they would tear holes
 * into every text.
 */
export class Redactor {
  readonly #values = new Set<string>();

  add(value: string): void {
    if (value.length < SHORTEST_REDACTED) return;
    this.#values.add(value);
    this.#values.add(encodeURIComponent(value));
    this.#values.add(JSON.stringify(value).slice(1, -1));
  }

  redact(text: string): string {
    let result = text;
    for (const value of this.#values) result = result.replaceAll(value, HIDDEN);
    return result;
  }
}
