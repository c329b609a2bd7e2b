/** Reads what `nft -j list chains` prints: by name, what hooks a chain: `nat prerouting -101`; empty for one that others lead to. */
export function parseChains(text: string, table: string): Map<string, string> {
  const chains = new Map<string, string>();
  const items = field(JSON.parse(text), 'nftables');
  for (const item of Array.isArray(items) ? items : []) {
    const chain = field(item, 'chain');
    const name = field(chain, 'name');
    if (field(chain, 'table') === table && typeof name === 'string') chains.set(name, hookText(chain));
  }
  return chains;
}

function hookText(chain: unknown): string {
  const parts = ['type', 'hook', 'prio'].map((name) => field(chain, name));
  return parts.includes(undefined) ? '' : parts.join(' ');
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
}
