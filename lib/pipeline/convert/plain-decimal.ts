const NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,6}))?$/;
const SPECIAL: { readonly [text: string]: string } = {
  nan: 'NaN',
  infinity: 'Infinity',
  '+infinity': 'Infinity',
  '-infinity': '-Infinity',
};
/** PostgreSQL's numeric ends there, and a short text must not become a gigabyte. */
const LARGEST_EXPONENT = 16_383;

/** A number's text in plain form: no exponent, no `+`, no leading zeros; `undefined` when it is no number. */
export function plainDecimal(given: string): string | undefined {
  const text = given.trim();
  const match = NUMBER.exec(text);
  if (match === null) return SPECIAL[text.toLowerCase()];
  const [, sign = '', whole = '', fraction = '', power = '0'] = match;
  if (whole === '' && fraction === '') return undefined;
  const exponent = Number(power);
  if (Math.abs(exponent) > LARGEST_EXPONENT) return undefined;
  const [left, right] = exponent === 0 ? [whole, fraction] : shifted(whole, fraction, exponent);
  const digits = left.replace(/^0+(?=\d)/, '') || '0';
  const plain = right === '' ? digits : `${digits}.${right}`;
  return sign === '-' && /[1-9]/.test(plain) ? `-${plain}` : plain;
}

function shifted(whole: string, fraction: string, exponent: number): [string, string] {
  if (exponent > 0) {
    const moved = fraction.slice(0, exponent).padEnd(exponent, '0');
    return [whole + moved, fraction.slice(exponent)];
  }
  const padded = whole.padStart(-exponent, '0');
  return [padded.slice(0, padded.length + exponent), padded.slice(padded.length + exponent) + fraction];
}
