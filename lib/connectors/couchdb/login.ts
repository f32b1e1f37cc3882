import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Fault } from '../../core/fault';
import { statusFault } from './classify';
import type { Account } from './endpoint';

type Post = (body: string, signal: AbortSignal) => Promise<IncomingMessage>;

/** How requests say who sends them: with name and password each time, or with the cookie of a session. */
export class Login {
  readonly #account: Account | undefined;
  readonly #post: Post;
  #cookie: Promise<string> | undefined;

  constructor(account: Account | undefined, post: Post) {
    this.#account = account;
    this.#post = post;
  }

  async headers(signal: AbortSignal): Promise<{ readonly [name: string]: string }> {
    if (this.#account === undefined) return {};
    const { username, password, way } = this.#account;
    if (way === 'basic') {
      return { authorization: `Basic ${Buffer.from(`${username}:${password.reveal()}`).toString('base64')}` };
    }
    this.#cookie ??= this.#open(this.#account, signal);
    try {
      return { cookie: await this.#cookie };
    } catch (error) {
      this.#cookie = undefined;
      throw error;
    }
  }

  /** Forgets the session; whether there was one, so that another may do. */
  expired(): boolean {
    const had = this.#cookie !== undefined;
    this.#cookie = undefined;
    return had;
  }

  /** Sessions are prolonged by the answers. */
  renewed(headers: IncomingHttpHeaders): void {
    const cookie = cookieIn(headers);
    if (this.#cookie !== undefined && cookie !== undefined) this.#cookie = Promise.resolve(cookie);
  }

  async #open({ username, password }: Account, signal: AbortSignal): Promise<string> {
    const response = await this.#post(JSON.stringify({ name: username, password: password.reveal() }), signal);
    response.resume();
    const { statusCode: status = 0 } = response;
    if (status !== 200) throw statusFault('_session', status, '');
    const cookie = cookieIn(response.headers);
    if (cookie !== undefined) return cookie;
    throw new Fault('config', 'no_session', 'the server gives no cookie for a session', {
      hint: 'Set connection.login to "basic".',
    });
  }
}

function cookieIn(headers: IncomingHttpHeaders): string | undefined {
  return headers['set-cookie']?.find((cookie) => cookie.startsWith('AuthSession='))?.replace(/;.*$/s, '');
}
