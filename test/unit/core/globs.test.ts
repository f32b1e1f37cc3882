import { globFilter } from '../../../lib/core/globs';

describe('globFilter', () => {
  it.each([
    [[], 'a', true],
    [['a'], 'a', true],
    [['a'], 'ab', false],
    [['a*'], 'ab', true],
    [['a?'], 'a', false],
    [['a?'], 'a🙂', true],
    [['!a'], 'a', false],
    [['!a'], 'b', true],
    [['a*', '!*b'], 'ab', false],
    [['!*b', 'a*'], 'ac', true],
    [['a.b'], 'axb', false],
    [['(a|b)'], 'a', false],
    [['a*z'], 'a\nz', true],
  ] as const)('%j on %s is %p', (globs, name, chosen) => {
    expect(globFilter(globs)(name)).toBe(chosen);
  });

  it('looks at every name a thing has', () => {
    expect(globFilter(['public.*'])('orders', 'public.orders')).toBe(true);
    expect(globFilter(['!public.orders'])('orders', 'public.orders')).toBe(false);
  });
});
