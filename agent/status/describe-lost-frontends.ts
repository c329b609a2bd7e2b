import type { Conflict } from '../nftables/rule-book.ts';
import type { Told } from './tell-once.ts';

const MOST_NAMED = 5;

/** One text for each Service that loses and each that it loses to, the same on every node that sees the same. */
export function describeLostFrontends(conflicts: readonly Conflict[]): Told[] {
  const lost = new Map<string, { service: string; winner: string; frontends: string[] }>();
  for (const { id, winner, losers } of conflicts) {
    for (const service of losers) {
      const key = `${service} ${winner}`;
      const entry = lost.get(key) ?? { service, winner, frontends: [] };
      lost.set(key, entry);
      entry.frontends.push(describeFrontend(id));
    }
  }
  return Array.from(lost.values(), ({ service, winner, frontends }) => {
    const more = frontends.length - MOST_NAMED;
    const named = frontends.slice(0, MOST_NAMED).join(', ') + (more > 0 ? `, and ${more} more` : '');
    return { service, note: `The older Service ${winner} has ${named}; this one isn't served there.` };
  });
}

/** `ip services 203.0.113.1 . tcp . 80` as people write it. */
function describeFrontend(id: string): string {
  const [, place, key = ''] = /^\S+ (\S+) (.*)$/.exec(id) ?? [];
  const parts = key.split(' . ');
  const [protocol = '', port = ''] = parts.slice(-2);
  const where = place === 'services' ? `${parts[0]} port` : 'node port';
  return `${where} ${port} (${protocol.toUpperCase()})`;
}
