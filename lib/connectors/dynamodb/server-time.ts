import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';

/** Tells of the time in each answer, in milliseconds since 1970. */
export function onServerTime(client: DynamoDBClient, tell: (milliseconds: number) => void): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const { headers = {} } = result.response as { readonly headers?: { readonly [name: string]: string } };
      const time = Date.parse(headers.date ?? '');
      if (!Number.isNaN(time)) tell(time);
      return result;
    },
    { step: 'deserialize', name: 'serverTime', priority: 'low' },
  );
}
