import type { Family } from '../endpoints/canonical-address.ts';
import type { FlowTable } from './flow-table.ts';
import type { FrontendIndex } from './frontend-index.ts';
import type { Flow } from './parse-flow.ts';

/** What to look for. */
export interface Look {
  family: Family;
  /** Null: flows of UDP aren't looked at. */
  udp: FrontendIndex | null;
  /** Frontends over TCP that are served since a moment; empty: flows of TCP aren't looked at. */
  tcp: FrontendIndex;
  /** Where node ports answer. */
  nodeAddresses: ReadonlySet<string>;
}

/** Lists a family's flows, and deletes the stale ones. Resolves with their number; throws ConntrackError. */
export async function deleteStaleFlows(table: FlowTable, look: Look): Promise<number> {
  const { family, udp, tcp, nodeAddresses } = look;
  // One deletion for all clients between a frontend and who answered there: each reads the whole table once more.
  const stale = new Map<string, Flow>();
  const note = (flow: Flow) => {
    const { protocol, destination, port, replySource, replyPort } = flow;
    stale.set([protocol, destination, port, replySource, replyPort].join(' '), flow);
  };
  if (udp !== null) {
    await table.list({ family, protocol: 'udp' }, (flow) => {
      if (udp.judge(family, flow, nodeAddresses) !== null) note(flow);
    });
  }
  if (tcp.size > 0) {
    await table.list({ family, protocol: 'tcp', state: 'SYN_SENT' }, (flow) => {
      if (tcp.judge(family, flow, nodeAddresses) === 'NotTranslated') note(flow);
    });
  }
  let deleted = 0;
  for (const flow of stale.values()) deleted += await table.delete(family, flow);
  return deleted;
}
