import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { messageOf } from '../../core/fault';

/**
 * Lets the codes of the network through. The SDK wraps what is no `instanceof Error` and forgets the code, and an error of
 * another realm (a test's sandbox) is none.
 */
export function keepCodes(client: DynamoDBClient): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      try {
        return await next(args);
      } catch (error) {
        if (error instanceof Error) throw error;
        const { name, code } = error as { readonly name?: string; readonly code?: string };
        throw Object.assign(new Error(messageOf(error), { cause: error }), { name, code });
      }
    },
    { step: 'deserialize', name: 'keepCodes', priority: 'high' },
  );
}
