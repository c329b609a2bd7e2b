/** Kinds of /mgmt/tm that are served, with the word that the device's errors have for one. */
const KINDS: Readonly<Record<string, string>> = {
  'ltm/virtual': 'Virtual Server',
  'ltm/virtual-address': 'Virtual Address',
  'ltm/pool': 'Pool',
  'ltm/node': 'Node',
  'ltm/rule': 'iRule',
  'ltm/snatpool': 'SNAT Pool',
  'ltm/snat-translation': 'SNAT Translation Address',
  'ltm/data-group/internal': 'value list',
  'ltm/traffic-matching-criteria': 'Traffic Matching Criteria',
  'net/vlan': 'VLAN',
  'net/address-list': 'Address List',
  'net/port-list': 'Port List',
  'net/route-domain': 'route domain',
  'security/firewall/address-list': 'Address List',
  'security/firewall/port-list': 'Port List',
  'cm/device-group': 'device group',
  'cm/traffic-group': 'traffic group',
  'auth/partition': 'partition',
  'sys/folder': 'folder',
};

/** Kinds with a type below them: `ltm/profile/tcp`. */
const FAMILIES: Readonly<Record<string, string>> = {
  'ltm/profile': 'Profile',
  'ltm/monitor': 'Monitor',
  'ltm/persistence': 'Persistence Profile',
};

export interface KindOfPath {
  kind: string;
  /** In errors: `Pool`. */
  word: string;
  /** What follows the kind. */
  rest: string[];
}

/** Of a path below /mgmt/tm. */
export function readKind(given: readonly string[]): KindOfPath | undefined {
  const segments = given.map((part, index) => (index < 2 ? hyphenated(part) : part));
  for (const length of [3, 2]) {
    const kind = segments.slice(0, length).join('/');
    const rest = segments.slice(length);
    const word = KINDS[kind];
    if (word !== undefined) return { kind, word, rest };
    const family = FAMILIES[segments.slice(0, 2).join('/')];
    if (length === 3 && family !== undefined && segments.length >= 3) {
      return { kind, word: `${segments[2] ?? ''} ${family}`.trim(), rest };
    }
  }
  return undefined;
}

/** Kinds may be written `trafficMatchingCriteria`, too. */
function hyphenated(part: string): string {
  return part.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

export function wordOf(kind: string): string {
  return readKind(kind.split('/'))?.word ?? kind;
}
