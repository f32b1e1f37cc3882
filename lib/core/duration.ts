/** A length of time such as `500ms`, `30s`, `5m`, `2h`, `90d`. */
export const DURATION_PATTERN = /^\d+(ms|s|m|h|d)$/;

const UNIT_MILLISECONDS: { readonly [unit: string]: number } = { ms: 1, s: 1e3, m: 6e4, h: 3.6e6, d: 8.64e7 };

/** Milliseconds of a duration that matches {@link DURATION_PATTERN}. */
export function durationMs(text: string): number {
  const unit = text.replace(/^\d+/, '');
  return Number.parseInt(text, 10) * (UNIT_MILLISECONDS[unit] ?? Number.NaN);
}
