import { runCommand, runOrThrow } from '../../kube/run-command.ts';

/**
 * The kernel's own fence: two nftables tables that let the node speak ARP and neighbour discovery in the name of a held
 * address only while an element lives that runs out by itself. A paused or killed agent doesn't renew it, and the node
 * falls silent at the deadline, to the millisecond, with the addresses still on the interface. One element for all
 * addresses: renewing costs the same for one as for a thousand. The set `held` also tells the next life of the agent which
 * addresses on the interfaces are ours.
 *
 * The kernel has lifetimes of addresses too (`valid_lft`), but in whole seconds, and it sweeps them at most once a second.
 */
const TABLES = [
  {
    family: 'arp',
    address: 'ipv4_addr',
    alive: 'ether_type',
    mark: '0x0800',
    rule: 'arp saddr ip @held arp ptype != @alive drop',
  },
  {
    family: 'ip6',
    address: 'ipv6_addr',
    alive: 'inet_proto',
    mark: '58',
    // The kernel answers a solicitation for an address of ours from that very address.
    rule: 'icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } ip6 saddr @held meta l4proto != @alive drop',
  },
] as const;
const NAME = 'fairlead-announce';

/** Creates the tables, or leaves those of an earlier life as they are. One transaction. */
export function renderTables(): string {
  return TABLES.flatMap(({ family, address, alive, rule }) => [
    `add table ${family} ${NAME}`,
    `add set ${family} ${NAME} held { type ${address}; }`,
    `add set ${family} ${NAME} alive { type ${alive}; flags timeout; }`,
    `add chain ${family} ${NAME} output { type filter hook output priority 0; policy accept; }`,
    `flush chain ${family} ${NAME} output`,
    `add rule ${family} ${NAME} output ${rule}`,
    '',
  ]).join('\n');
}

/** Lets the node answer for `ms` from now on; not at all when that isn't positive. */
export function renderAlive(ms: number): string {
  const timeout = Math.floor(ms);
  return TABLES.flatMap(({ family, mark }) => [
    `flush set ${family} ${NAME} alive`,
    ...(timeout > 0 ? [`add element ${family} ${NAME} alive { ${mark} timeout ${timeout}ms }`] : []),
    '',
  ]).join('\n');
}

/** Of addresses that are about to be put on an interface, or are gone from theirs. */
export function renderHeld(verb: 'add' | 'delete', addresses: readonly string[]): string {
  const v4 = addresses.filter((address) => !address.includes(':'));
  const v6 = addresses.filter((address) => address.includes(':'));
  // Deleting what isn't there fails the whole transaction; adding what is there doesn't.
  const verbs = verb === 'add' ? ['add'] : ['add', 'delete'];
  return [
    ...(v4.length > 0 ? verbs.map((each) => `${each} element arp ${NAME} held { ${v4.join(', ')} }`) : []),
    ...(v6.length > 0 ? verbs.map((each) => `${each} element ip6 ${NAME} held { ${v6.join(', ')} }`) : []),
    '',
  ].join('\n');
}

/** The elements of a set, out of `nft -j list set`. */
export function parseSet(json: string): string[] {
  const parsed: unknown = JSON.parse(json);
  const items = isRecord(parsed) && Array.isArray(parsed.nftables) ? parsed.nftables : [];
  for (const item of items) {
    if (isRecord(item) && isRecord(item.set) && Array.isArray(item.set.elem)) {
      return item.set.elem.filter((element) => typeof element === 'string');
    }
  }
  return [];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** The tables in the kernel. */
export class GuardTable {
  /** @throws Error when the kernel or nft can't; then nothing may be announced. */
  async open(): Promise<void> {
    await runOrThrow('nft', ['-f', '-'], { input: renderTables() });
  }

  /** Addresses that this life or an earlier one put under guard. */
  async held(): Promise<string[]> {
    const held: string[] = [];
    for (const { family } of TABLES) {
      held.push(...parseSet(await runOrThrow('nft', ['-j', 'list', 'set', family, NAME, 'held'])));
    }
    return held;
  }

  /** Takes the tables away. */
  async close(): Promise<void> {
    for (const { family } of TABLES) await runCommand('nft', ['delete', 'table', family, NAME]);
  }
}
