import type { CheckReport, CheckStep } from '../core/check';
import { invalidConfig } from '../core/config';
import { Fault } from '../core/fault';
import type { IntegrationDocument, IntegrationFields } from '../core/integration';
import type { EnginePorts } from './ports';
import { ownWay } from './vpn-way';

const FIELD = 'network_security.use_vpn';
const DEPLOY =
  'declare an integration of this type with use_vpn in integrations/ and deploy, which moves its function behind the VPN gateway';

function wantsVpn(fields: IntegrationFields): boolean {
  return fields.network_security?.use_vpn === true;
}

/** Refuses a document whose runs would go past the VPN that it asks for. @throws Fault `config`/`invalid_config` */
export function requireVpn({ vpn }: EnginePorts, fields: IntegrationFields): void {
  if (!wantsVpn(fields) || vpn === undefined || vpn.types.includes(fields.type)) return;
  const message = `the function for ${fields.type} is not behind a VPN in this stage; ${DEPLOY}`;
  throw invalidConfig([{ path: FIELD, message }]);
}

/** What an owner should know of the way to a source. */
export function vpnWarnings({ vpn }: EnginePorts, fields: IntegrationFields): string[] {
  if (!wantsVpn(fields)) {
    if (fields.network_security?.vpn_endpoint === undefined) return [];
    return ['network_security.vpn_endpoint: means nothing without use_vpn'];
  }
  if (vpn === undefined) return [`${FIELD}: the way to the source is that of this machine; connect its VPN first`];
  if (vpn.types.includes(fields.type)) return [];
  return [`${FIELD}: its runs are refused, since the function for ${fields.type} is not behind a VPN; ${DEPLOY}`];
}

/** Never opens a source from outside of the VPN that it is to be reached by. @throws Fault `config`/`outside_vpn` */
export function stayInVpn({ vpn }: EnginePorts, fields: IntegrationFields): void {
  if (!wantsVpn(fields) || vpn === undefined || vpn.inside) return;
  throw new Fault('config', 'outside_vpn', `opening ${fields.name}: ${OUTSIDE}`, { hint: OUTSIDE_HINT });
}

/** Whether the runs of an integration are behind the VPN of the stage, and this function is not. */
export function isOutsideVpn({ vpn }: EnginePorts, document: IntegrationDocument): boolean {
  if (vpn === undefined || vpn.inside) return false;
  const security = document.network_security as { readonly use_vpn?: boolean } | undefined;
  return security?.use_vpn === true || vpn.types.includes(String(document.type));
}

const OUTSIDE = 'network_security.use_vpn is set, and this function is not behind the VPN';
const OUTSIDE_HINT = `Connection tests and plans are made by the API's function; a sync has its own. If a sync says this: ${DEPLOY}.`;

/** A connection test with the step about the way first, where the document asks for a VPN. */
export async function checkByVpn(
  ports: EnginePorts,
  fields: IntegrationFields,
  check: () => Promise<CheckReport>,
): Promise<CheckReport> {
  if (!wantsVpn(fields)) return check();
  if (ports.vpn?.inside === false) {
    return { passed: false, steps: [{ ...STEP, state: 'failed', detail: OUTSIDE, hint: OUTSIDE_HINT }] };
  }
  const way = ports.vpn ? BEHIND : await ownWay(ports, fields.network_security);
  const { passed, steps } = await check();
  return { passed, steps: [way, ...steps] };
}

const STEP = { name: 'vpn', milliseconds: 0 } as const;
const BEHIND: CheckStep = { ...STEP, state: 'passed', detail: 'this function is behind the VPN gateway of the stage' };
