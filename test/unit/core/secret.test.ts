import { inspect } from 'node:util';
import { Redactor, Secret } from '../../../lib/core/secret';

describe('Secret', () => {
  const secret = new Secret('hunter2');

  it('shows itself only when asked by name', () => {
    expect(secret.reveal()).toBe('hunter2');
  });

  it.each([
    ['text', `${secret}`],
    ['JSON', JSON.stringify({ secret })],
    ['inspection', inspect({ secret }, { depth: 9, showHidden: true })],
  ])('hides in %s', (_form, shown) => {
    expect(shown).toContain('[secret]');
    expect(shown).not.toContain('hunter2');
  });
});

describe('Redactor', () => {
  it.each([
    ['as it is', 'password p@ss"w/rd refused'],
    ['URL-encoded', `postgresql://u:${encodeURIComponent('p@ss"w/rd')}@host/db`],
    ['JSON-escaped', JSON.stringify({ password: 'p@ss"w/rd' })],
  ])('takes a secret out %s', (_form, text) => {
    const redactor = new Redactor();
    redactor.add('p@ss"w/rd');
    const redacted = redactor.redact(text);
    expect(redacted).toContain('[secret]');
    expect(redacted).not.toMatch(/p(@|%40)ss/);
  });

  it('leaves text alone for values that are too short to search for', () => {
    const redactor = new Redactor();
    redactor.add('abc');
    expect(redactor.redact('abcdef')).toBe('abcdef');
  });
});
