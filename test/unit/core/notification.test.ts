import fc from 'fast-check';
import { factsOf, fitted, type Notification, readableText, subjectOf } from '../../../lib/core/notification';

const NOTIFICATION: Notification = {
  id: 'one',
  kind: 'schema_change',
  severity: 'warning',
  title: 'A title',
  text: 'A text.',
  integration: 'shop',
  stream: 'orders',
  at: '2026-11-25T02:00:00.000Z',
  facts: { added: ['email', 'phone'], rows: 3, none: null },
};
const anyText = fc.string({ unit: 'binary', maxLength: 400 });
const HALF = /\p{Cs}/u;

describe('a notification', () => {
  it('is a text for people with all that it says', () => {
    expect(readableText(NOTIFICATION)).toBe(
      [
        '[warning] A title',
        '',
        'A text.',
        '',
        'integration: shop',
        'stream: orders',
        'kind: schema_change',
        'at: 2026-11-25T02:00:00.000Z',
        'added: ["email","phone"]',
        'rows: 3',
        'none: null',
        'id: one',
      ].join('\n'),
    );
  });

  it('has a subject of one line that is never too long, whatever its title is', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 20, max: 200 }), (title, longest) => {
        const subject = subjectOf({ ...NOTIFICATION, title }, longest);
        expect(subject.length).toBeLessThanOrEqual(longest);
        expect(subject).toMatch(/^\[warning\]/);
        expect(subject).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
        expect(subject).not.toMatch(HALF);
      }),
    );
  });

  it('has a text of so many bytes at most, in which no character is cut in two', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 20, max: 400 }), (text, bytes) => {
        const cut = fitted({ ...NOTIFICATION, text }, bytes).text;
        expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(bytes);
        expect(cut).not.toMatch(HALF);
        expect(cut).not.toMatch(/[^\P{Cc}\n\t]/u);
      }),
    );
  });

  it.each([
    ['as it is when it fits', 'x'.repeat(100), 100, 'x'.repeat(100)],
    ['with a mark when it does not', 'x'.repeat(101), 100, `${'x'.repeat(90)}\n[cut off]`],
    [
      'before a character that would be cut',
      `${'x'.repeat(89)}漢${'x'.repeat(20)}`,
      100,
      `${'x'.repeat(89)}\n[cut off]`,
    ],
    ['with one kind of line end', 'a\r\nb\rc\nd', 100, 'a\nb\nc\nd'],
  ])('keeps a text %s', (_what, text, bytes, expected) => {
    expect(fitted({ ...NOTIFICATION, text }, bytes).text).toBe(expected);
  });

  it('has facts of one line each, whatever they hold', () => {
    const facts = factsOf({ ...NOTIFICATION, facts: { 'a\nb': 'c\r\nBcc: d', e: { f: 'g\n' } } });
    expect(facts).toContainEqual(['a b', 'c Bcc: d']);
    expect(facts.flat().filter((part) => /[\r\n]/.test(part))).toEqual([]);
  });
});
