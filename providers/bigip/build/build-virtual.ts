import type { BigipConfig } from '../../../crds/bigip-provider.ts';
import type { Scheme } from '../../../crds/common.ts';
import type { Frontend } from '../../../crds/load-balancer.ts';
import type { Json, JsonObject } from '../json.ts';

export interface VirtualInput {
  frontend: Frontend;
  address: string;
  /** Names within the application. */
  pool: string;
  persistence: string | undefined;
  /** Who may connect; undefined: everybody. */
  source: Json | undefined;
  /** The port, or the list that has it. */
  port: Json;
  /** Shown on the device. */
  remark: string;
  scheme: Scheme;
  config: BigipConfig;
}

/** One virtual server: an address and a port. */
export function buildVirtual(input: VirtualInput): JsonObject {
  const { address, config, frontend, persistence, pool, port, remark, scheme, source } = input;
  const limit = config.limits?.connectionsPerVirtualServer;
  const vlans = scheme === 'Internal' ? config.vlans?.internal : config.vlans?.public;
  return {
    ...buildKind(frontend, config),
    remark,
    virtualAddresses: [address],
    virtualPort: port,
    pool,
    snat: buildSnat(config),
    // Without it AS3 has source-address.
    persistenceMethods: persistence === undefined ? [] : [{ use: persistence }],
    ...(source === undefined ? {} : { sourceAddress: source }),
    ...(limit === undefined ? {} : { maxConnections: limit }),
    ...(vlans === undefined ? {} : { allowVlans: vlans.map((bigip) => ({ bigip })) }),
    ...(config.iRules === undefined || config.iRules.length === 0
      ? {}
      : { iRules: config.iRules.map((bigip) => ({ bigip })) }),
  };
}

/** The class, with the profile that goes with it; a profile that nobody names is AS3's. */
function buildKind({ protocol }: Frontend, { profiles, virtualServers }: BigipConfig): JsonObject {
  if (virtualServers !== 'Standard') {
    const layer4 = protocol.toLowerCase();
    return { class: 'Service_L4', layer4, ...named('profileL4', profiles?.fastL4) };
  }
  switch (protocol) {
    case 'TCP':
      return { class: 'Service_TCP', ...named('profileTCP', profiles?.tcp) };
    case 'UDP':
      return { class: 'Service_UDP', ...named('profileUDP', profiles?.udp) };
    case 'SCTP':
      return { class: 'Service_SCTP', ...named('profileSCTP', profiles?.sctp) };
  }
}

function named(property: string, bigip: string | undefined): JsonObject {
  return bigip === undefined ? {} : { [property]: { bigip } };
}

function buildSnat({ snat }: BigipConfig): Json {
  if (snat?.mode === 'Pool' && snat.pool !== undefined) return { bigip: snat.pool };
  return snat?.mode === 'None' ? 'none' : 'auto';
}
