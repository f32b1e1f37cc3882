import type { Trouble } from '../../../contracts/notifier';
import { type BreakableHttp, type HttpRequest, startBreakableHttp } from '../../../servers/breakable-http';

/** A receiver of web requests, and what it was given. */
export interface HttpReceiver extends BreakableHttp {
  trouble(kind: Trouble | undefined): Promise<void>;
  /** The next good request that was not taken yet. */
  take(): HttpRequest;
}

const ANSWERS = {
  slow: 'never',
  throttled: { status: 429, headers: { 'retry-after': '7' } },
  failing: { status: 500, body: '<html>internal error at https://hooks.example/T0/secret-path</html>' },
  forbidden: { status: 403, body: 'invalid_token' },
} as const;

/** Starts a receiver that answers as Slack does. */
export async function startReceiver(): Promise<HttpReceiver> {
  const good: HttpRequest[] = [];
  const server = await startBreakableHttp((request, response) => {
    good.push(request);
    response.writeHead(200).end('ok');
  });
  let isDown = false;
  return {
    ...server,
    async trouble(kind) {
      if (isDown) await server.up();
      isDown = kind === 'down';
      if (isDown) await server.down();
      server.answer(kind === undefined || kind === 'down' ? undefined : ANSWERS[kind]);
    },
    take() {
      const request = good.shift();
      if (request === undefined) throw new Error('nothing was sent');
      return request;
    },
  };
}
