import type { LogLevel } from '../../core/log';

/** How one line is shown to a person: colours, or none. */
export interface LineStyle {
  readonly colors: boolean;
}

const COLORS: { readonly [level: string]: number } = { debug: 90, info: 36, warn: 33, error: 31 };
const DIM = 2;
// What a terminal would obey instead of showing it.
const CONTROL = /(?![\t\n])\p{Cc}/gu;

/** A line for a person: `12:34:56 info  message  name=value`. */
export function readableLine(
  level: LogLevel,
  time: Date,
  message: string,
  fields: { readonly [name: string]: unknown },
  style: LineStyle,
): string {
  const paint = (color: number, text: string) => (style.colors ? `\u001b[${color}m${text}\u001b[0m` : text);
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => String(part).padStart(2, '0'));
  const facts = Object.entries(fields).map(([name, value]) => `${paint(DIM, `${visible(name)}=`)}${shown(value)}`);
  const head = `${paint(DIM, clock.join(':'))} ${paint(COLORS[level] ?? 0, level.padEnd(5))} ${visible(message)}`;
  return `${[head, ...facts].join('  ')}\n`;
}

function shown(value: unknown): string {
  const plain = typeof value === 'string' && /^[^\s"=]+$/.test(value);
  return visible(plain ? value : JSON.stringify(value));
}

function visible(text: string): string {
  return text.replace(CONTROL, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
