import type { KubeClient } from '../../../kube/client.ts';
import { SECRETS } from '../../../kube/resources.ts';
import type { BigIpPeer } from '../../peers/bigip/bigip-peer.ts';

const API = 'fairlead.dev/v1alpha1';

export interface BigIpProviderOptions {
  /** Of the provider, its Secret and its AddressPool. */
  name: string;
  /** Fairlead's own. */
  system: string;
  tenant: string;
  addresses: readonly string[];
  /** As an AddressPool has them: given to those who ask for them only. */
  reserved?: readonly string[];
}

/** A provider `bigip` for this device, with an AddressPool; targets leave at once, and it is looked at as often as may be. */
export async function makeBigIpProvider(
  client: KubeClient,
  { credentials, group, units }: BigIpPeer,
  { addresses, name, reserved = [], system, tenant }: BigIpProviderOptions,
): Promise<void> {
  const data = Object.fromEntries(
    Object.entries({ ...credentials, 'ca.crt': units.map(({ ca }) => ca).join('\n') }).map(([key, value]) => [
      key,
      Buffer.from(value).toString('base64'),
    ]),
  );
  await client.create(SECRETS, { metadata: { name, namespace: system }, data });
  const make = async (kind: string, plural: string, suffix: string, spec: object) => {
    const body = { apiVersion: API, kind, metadata: { name: `${name}${suffix}` }, spec };
    await client.request('POST', `/apis/${API}/${plural}`, { body });
  };
  const bigip = {
    devices: units.map(({ url }) => new URL(url).host),
    credentials: { secretName: name },
    tls: { caSecretName: name },
    tenant,
    ...(group === undefined ? {} : { deviceGroup: group }),
  };
  await make('AddressPool', 'addresspools', '', { addresses });
  if (reserved.length > 0) {
    await make('AddressPool', 'addresspools', '-reserved', { addresses: reserved, autoAssign: false });
  }
  const spec = { targets: { drainSeconds: 0 }, drift: { intervalSeconds: 30 }, bigip };
  await make('LoadBalancerProvider', 'loadbalancerproviders', '', spec);
}
