const TOKEN = /\s*(IF|AND|OR|[a-z]\w*|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|==|!=|<=|>=|[-+*/<>(),])/y;
const LEVELS: readonly (readonly string[])[] = [
  ['OR'],
  ['AND'],
  ['==', '!=', '<', '<=', '>', '>='],
  ['+', '-'],
  ['*', '/'],
];

/**
 * The part of CloudWatch's metric math that our alarms use, for one period. A metric without a value makes the whole
 * expression have none.
 */
export function evaluateMath(text: string, ids: ReadonlyMap<string, number | undefined>): number | undefined {
  const tokens: string[] = [];
  for (TOKEN.lastIndex = 0; TOKEN.lastIndex < text.length; ) {
    const found = TOKEN.exec(text);
    if (found === null) throw new Error(`metric math: ${text}`);
    tokens.push(found[1] ?? '');
  }
  let next = 0;
  let missing = false;
  const take = (wanted: string): void => {
    if (tokens[next++] !== wanted) throw new Error(`metric math: expected ${wanted} in ${text}`);
  };
  const binary = (level: number): number => {
    const signs = LEVELS[level];
    if (signs === undefined) return primary();
    let value = binary(level + 1);
    while (signs.includes(tokens[next] ?? '')) {
      const sign = tokens[next++] ?? '';
      value = apply(sign, value, binary(level + 1));
    }
    return value;
  };
  const primary = (): number => {
    const token = tokens[next++] ?? '';
    if (token === '(') {
      const value = binary(0);
      take(')');
      return value;
    }
    if (token === 'IF') {
      take('(');
      const condition = binary(0);
      take(',');
      const then = binary(0);
      take(',');
      const otherwise = binary(0);
      take(')');
      return condition !== 0 ? then : otherwise;
    }
    if (/^\d/.test(token)) return Number(token);
    if (!ids.has(token)) throw new Error(`metric math: unknown ${token} in ${text}`);
    const value = ids.get(token);
    missing ||= value === undefined;
    return value ?? 0;
  };
  const value = binary(0);
  if (next !== tokens.length) throw new Error(`metric math: more than an expression in ${text}`);
  return missing ? undefined : value;
}

function apply(sign: string, left: number, right: number): number {
  switch (sign) {
    case 'OR':
      return left !== 0 || right !== 0 ? 1 : 0;
    case 'AND':
      return left !== 0 && right !== 0 ? 1 : 0;
    case '==':
      return left === right ? 1 : 0;
    case '!=':
      return left !== right ? 1 : 0;
    case '<':
      return left < right ? 1 : 0;
    case '<=':
      return left <= right ? 1 : 0;
    case '>':
      return left > right ? 1 : 0;
    case '>=':
      return left >= right ? 1 : 0;
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    default:
      return left / right;
  }
}
