import { isIPv4 } from 'node:net';
import fc from 'fast-check';
import { ipv4Number } from '../../../lib/core/ipv4';

describe('ipv4Number', () => {
  it.each([
    ['0.0.0.0', 0],
    ['1.2.3.4', 0x01020304],
    ['255.255.255.255', 2 ** 32 - 1],
  ])('reads %s', (text, number) => {
    expect(ipv4Number(text)).toBe(number);
  });

  it.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.4.',
    '.1.2.3',
    '1..2.3',
    '01.2.3.4',
    '256.1.1.1',
    '1.2.3.4 ',
    '1,2.3.4',
    '::1',
  ])('refuses "%s"', (text) => expect(ipv4Number(text)).toBeUndefined());

  it('takes exactly what Node.js takes', () => {
    const part = fc.oneof(fc.nat(300).map(String), fc.constantFrom('', '00', '007', 'a', '1e1', ' 1', '-1', '1.'));
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), (parts) => {
        const text = parts.join('.');
        expect(ipv4Number(text) !== undefined).toBe(isIPv4(text));
      }),
      { numRuns: 2000 },
    );
  });
});
