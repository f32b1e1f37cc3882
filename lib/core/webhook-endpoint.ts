import { isPrivateUrl } from './web-url';

const LONGEST = 200;
const PATH = /^\/webhooks\/([A-Za-z0-9._~-]+(?:\/[A-Za-z0-9._~-]+)*)$/;

/** What is said of an `endpoint` that is none. */
export const ENDPOINT_FORM =
  'expected an https URL (http only for this machine) whose path is "/webhooks/" and at most 200 letters, digits, ".", "_", "~", "-" and single "/", such as "https://explorerio.company.com/webhooks/data-update"';

/** The path at which the webhook of an `endpoint` is called; `undefined` where it can be none. */
export function webhookPath(endpoint: string): string | undefined {
  if (!URL.canParse(endpoint)) return undefined;
  const url = new URL(endpoint);
  const { pathname, username, password } = url;
  if (!isPrivateUrl(url) || username !== '' || password !== '') return undefined;
  // A URL is read generously: white space, query, fragment and dots that mean another path would go unnoticed otherwise.
  if (/\s/.test(endpoint) || !endpoint.endsWith(pathname)) return undefined;
  const name = PATH.exec(pathname)?.[1];
  return name !== undefined && name.length <= LONGEST ? pathname : undefined;
}
