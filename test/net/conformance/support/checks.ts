import { request } from 'node:http';
import type { Flow, Outcome, Transport } from '../../support/station-protocol.ts';
import type { Check, CheckFunction, Target } from './case.ts';
import { describe } from './judge.ts';
import type { Family, Place } from './places.ts';
import type { Trial } from './trial.ts';

/** Dials, once or `times`, and hands the outcomes on. */
export async function dialFrom(
  trial: Trial,
  family: Family,
  from: Place,
  to: Target,
  options: { times?: number; transport?: Transport } = {},
): Promise<Outcome[]> {
  const { times = 1, transport = 'tcp' } = options;
  const dial = { transport, ...trial.resolve(to, transport, family), timeoutMs: 5_000 };
  const source = from.others === undefined ? { source: from.addresses[family] } : {};
  return trial.station(from).dialAll(Array.from({ length: times }, () => ({ ...dial, ...source })));
}

/** Who served all of these; throws when nobody did, or several. */
export function onlyServer(outcomes: readonly Outcome[]): string {
  const servers = new Set(outcomes.map((outcome) => (outcome.result === 'served' ? outcome.by : undefined)));
  const [server] = servers;
  if (servers.size !== 1 || server === undefined) throw new Error(`not by one server: ${describe(outcomes)}`);
  return server;
}

/** Opens a flow that later stages use by this name, in both families. */
export function openFlow(
  trial: Trial,
  family: Family,
  id: string,
  flow: { from: Place; to: Target; transport: Flow['transport']; sourcePort?: number },
): Promise<void> {
  const { address, port } = trial.resolve(flow.to, flow.transport, family);
  const source = flow.from.others === undefined ? { source: flow.from.addresses[family] } : {};
  const { transport, sourcePort } = flow;
  return trial.station(flow.from).openFlow(flowId(trial, family, id), {
    transport,
    address,
    port,
    ...source,
    ...(sourcePort === undefined ? {} : { sourcePort }),
  });
}

/** Says something on the flow, and judges what comes of it: undefined is well. */
export function flowCheck(
  what: string,
  from: Place,
  id: string,
  judgeOutcome: (outcome: Outcome) => boolean,
): Check {
  return { what, check: flowFunction(from, id, judgeOutcome) };
}

export function flowFunction(
  from: Place,
  id: string,
  judgeOutcome: (outcome: Outcome) => boolean,
): CheckFunction {
  return async (trial, family) => {
    const outcome = await trial.station(from).useFlow(flowId(trial, family, id));
    return judgeOutcome(outcome) ? undefined : `flow ${id} was ${describe([outcome])}`;
  };
}

export const servedBy =
  (server: Place, port?: number) =>
  (outcome: Outcome): boolean =>
    outcome.result === 'served' && outcome.by === server.name && (port === undefined || outcome.at === port);

export function flowId(trial: Trial, family: Family, id: string): string {
  return `${trial.number}-${family}-${id}`;
}

export interface Page {
  status: number;
  headers: NodeJS.Dict<string | string[]>;
  body: string;
}

/** A page of a node, asked for from outside. Rejects as connecting does: the code is ECONNREFUSED where nobody listens. */
export function getPage(node: Place, family: Family, port: number, path = '/'): Promise<Page> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: node.addresses[family], port, path, agent: false, timeout: 5_000 },
      (answer) => {
        let body = '';
        answer.setEncoding('utf8').on('data', (text) => {
          body += text;
        });
        answer.once('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }));
        answer.once('error', reject);
      },
    );
    asked.once('timeout', () => asked.destroy(new Error('timed out')));
    asked.once('error', reject);
    asked.end();
  });
}
