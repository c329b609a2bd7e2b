export interface VrrpOptions {
  /** The edge's name. */
  name: string;
  /** Where addresses are added, and adverts sent. */
  device: string;
  /** RFC 9568: the same on the edges that share their addresses, and on nobody else there. */
  virtualRouterID: number;
  addresses: readonly string[];
  /** A file of 0 or 1: with anything but 0 in it this machine takes no address. */
  failed: string;
}

/** Three of these and a part of one more without an advert, and another edge takes over. */
const ADVERT_SECONDS = 0.3;

/**
 * keepalived's configuration for one set of addresses, which one edge has at a time. Who has them keeps them: no edge goes
 * before another. Adverts name one address that is always the same, since a change comes to the edges one after the
 * other, and an advert with others than one's own is refused.
 * It runs no script, which it can't in a user namespace.
 */
export function renderKeepalived(options: VrrpOptions): string {
  const { addresses, device, failed, name, virtualRouterID } = options;
  const lines = [
    '# Written by `fairlead edge`, which writes it again: change the provider.',
    'global_defs {',
    `  router_id ${name}`,
    '  vrrp_version 3',
    '  vrrp_garp_master_refresh 10',
    '}',
    'vrrp_track_file haproxy {',
    `  file ${failed}`,
    '  weight 0',
    '}',
    'vrrp_instance fairlead {',
    '  state BACKUP',
    '  nopreempt',
    `  interface ${device}`,
    `  virtual_router_id ${virtualRouterID}`,
    '  priority 100',
    `  advert_int ${ADVERT_SECONDS}`,
    '  track_file {',
    '    haproxy',
    '  }',
    '  virtual_ipaddress {',
    `    169.254.255.${virtualRouterID}/32`,
    '  }',
    '  virtual_ipaddress_excluded {',
    ...addresses.toSorted().map((address) => `    ${address}/${address.includes(':') ? 128 : 32}`),
    '  }',
    '}',
  ];
  return `${lines.join('\n')}\n`;
}
