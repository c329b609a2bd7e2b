import type { Family } from '../endpoints/canonical-address.ts';
import type { FlowTable, Listing } from './flow-table.ts';
import type { FrontendIndex } from './frontend-index.ts';
import type { Flow } from './parse-flow.ts';
import type { WaitingConnections } from './waiting-connections.ts';

/** What to look for. */
export interface Look {
  family: Family;
  /** Null: flows of UDP aren't looked at. */
  udp: FrontendIndex | null;
  /** Null: flows of TCP aren't looked at. */
  tcp: WaitingConnections | null;
  /** Where node ports answer. */
  nodeAddresses: ReadonlySet<string>;
  /** Of flows that are stale by what was looked up before, those that still are. */
  recheck: (flows: Flow[]) => Promise<Flow[]>;
}

/** So many are kept in memory at a time: some megabytes. */
const MOST_AT_ONCE = 20_000;

/** Lists a family's flows, and deletes the stale ones. Resolves with their number; throws ConntrackError. */
export async function deleteStaleFlows(
  table: FlowTable,
  look: Look,
  mostAtOnce = MOST_AT_ONCE,
): Promise<number> {
  const { family, udp, tcp, nodeAddresses, recheck } = look;
  let deleted = 0;
  if (udp !== null) {
    const isStale = (flow: Flow) => udp.judge(family, flow, nodeAddresses) !== null;
    deleted += await deleteWhere(table, { family, protocol: 'udp' }, { isStale, recheck, mostAtOnce });
  }
  if (tcp !== null) {
    const isStale = (flow: Flow) => tcp.judge(family, flow, nodeAddresses) !== null;
    deleted += await deleteWhere(
      table,
      { family, protocol: 'tcp', state: 'SYN_SENT' },
      { isStale, recheck, mostAtOnce },
    );
  }
  return deleted;
}

interface Selection extends Pick<Look, 'recheck'> {
  isStale: (flow: Flow) => boolean;
  mostAtOnce: number;
}

async function deleteWhere(table: FlowTable, listing: Listing, selection: Selection): Promise<number> {
  const { isStale, recheck, mostAtOnce } = selection;
  let deleted = 0;
  for (;;) {
    const found: Flow[] = [];
    await table.list(listing, (flow) => {
      if (found.length < mostAtOnce && isStale(flow)) found.push(flow);
    });
    const stale = found.length === 0 ? [] : await recheck(found);
    const gone = stale.length === 0 ? 0 : await table.delete(stale);
    deleted += gone;
    // Where none of so many could be deleted, looking once more is of no use.
    if (found.length < mostAtOnce || gone === 0) return deleted;
  }
}
