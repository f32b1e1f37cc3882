import { loggedMoney } from '../../../../lib/connectors/postgresql/logged-values';

describe('amounts of money in the log', () => {
  it.each([
    ['$1,234.50', 0, '123450'],
    ['-$1,234.50', 0, '-123450'],
    ['$1,234.50', 2, '1234.50'],
    ['-$0.05', 2, '-0.05'],
    ['$1,234.50', 3, '123.450'],
    ['-$0.05', 3, '-0.005'],
    ['$0.00', 3, '0.000'],
    ['$0.00', 0, '0'],
    ['-$92,233,720,368,547,758.08', 2, '-92233720368547758.08'],
  ])('%s of %i decimals is %s', (logged, decimals, amount) => {
    const bytes = Buffer.from(`<${logged}>`);
    expect(loggedMoney(decimals)(bytes, 1, bytes.length - 1)).toBe(amount);
  });
});
