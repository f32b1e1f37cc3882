import { Fault, toFault } from '../../../lib/core/fault';

describe('Fault', () => {
  it('keeps its cause out of its record', () => {
    const fault = new Fault('config', 'wrong_password', 'opening shop: refused', {
      hint: 'Check the password.',
      cause: new Error('password hunter2'),
    });
    expect(fault.record()).toEqual({
      kind: 'config',
      code: 'wrong_password',
      message: 'opening shop: refused',
      hint: 'Check the password.',
    });
    expect(JSON.stringify(fault.record())).not.toContain('hunter2');
  });

  it('has no hint in its record when there is none', () => {
    expect(new Fault('bug', 'unexpected_error', 'oops').record()).not.toHaveProperty('hint');
  });
});

describe('toFault', () => {
  it('gives a fault back as it is', () => {
    const fault = new Fault('lost', 'snapshot_gone', 'reading table orders: the snapshot is gone');
    expect(toFault(fault, 'reading')).toBe(fault);
  });

  it('calls what nobody knows a bug, and says what was being done', () => {
    const cause = new RangeError('out of range');
    expect(toFault(cause, 'reading table orders')).toMatchObject({
      kind: 'bug',
      code: 'unexpected_error',
      message: 'reading table orders: out of range',
      cause,
    });
  });

  it('takes kind, code, hint and waiting time from the classifier', () => {
    const known = new Fault('transient', 'rate_limited', 'too many requests', { hint: 'Wait.', retryAfterMs: 1500 });
    expect(toFault('429', 'reading page 3', () => known)).toMatchObject({
      kind: 'transient',
      code: 'rate_limited',
      message: 'reading page 3: too many requests',
      hint: 'Wait.',
      retryAfterMs: 1500,
    });
  });
});
