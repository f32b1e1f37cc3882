import { findRoute } from '../../../lib/adapters/embedded/route';

describe('the route to an address', () => {
  it('is found, with the interface and without sending anything', async () => {
    expect(await findRoute('127.0.0.1')).toEqual({ from: '127.0.0.1', by: expect.stringMatching(/^lo/) });
  });

  it('is none where there is none', async () => {
    // Nobody but a socket that says so may send to all.
    expect(await findRoute('255.255.255.255')).toBeUndefined();
  });
});
