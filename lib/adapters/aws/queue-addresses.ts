/** URLs of queues by connector type. */
export type QueueUrls = { readonly [type: string]: string };

/**
 * The URLs in a function's environment: JSON by type, of which those after the first may be relative to it. All
 * variables of a function together may be 4 KB, and the whole URLs of many queues are more.
 */
export function readQueueUrls(text: string): QueueUrls {
  const given = Object.entries(JSON.parse(text) as QueueUrls);
  const first = given[0]?.[1] ?? '';
  return Object.fromEntries(given.map(([type, url]) => [type, URL.canParse(url) ? url : besideUrl(first, url)]));
}

/** The URL of the queue of a name that belongs to the same account and region as another. */
export function besideUrl(url: string, name: string): string {
  return new URL(name, url).href;
}

/** The ARN of the queue at a URL, by that of another one of the same account and region. */
export function besideArn(arn: string, url: string): string {
  return `${arn.slice(0, arn.lastIndexOf(':') + 1)}${url.slice(url.lastIndexOf('/') + 1)}`;
}

/** The name at the end of a queue's ARN. */
export function nameInArn(arn: string): string {
  return arn.slice(arn.lastIndexOf(':') + 1);
}
