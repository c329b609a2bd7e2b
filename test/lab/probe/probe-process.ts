/** Runs in the client's network namespace and opens connections on command: JSON lines in, JSON lines out. */
import { createInterface } from 'node:readline';
import type { HttpRequest, ProbeCommand, ProbeReply, ProbeResult } from './probe-protocol.ts';
import { sendRequest, sendText } from './send-request.ts';

interface SteadyLoad {
  timer: NodeJS.Timeout;
  running: Promise<ProbeResult>[];
}

const loads = new Map<number, SteadyLoad>();

/** An open loop: requests begin on time however long others take, as those of many independent clients do. */
function startLoad(request: HttpRequest, perSecond: number): SteadyLoad {
  const running: Promise<ProbeResult>[] = [];
  const startedAt = performance.now();
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedAt) / 1000) * perSecond);
    while (running.length < due) running.push(sendRequest(request));
  }, 1000 / perSecond);
  return { timer, running };
}

async function carryOut(command: ProbeCommand): Promise<ProbeResult[]> {
  switch (command.kind) {
    case 'request':
      return [await sendRequest(command.request)];
    case 'exchange':
      return [await sendText(command.exchange)];
    case 'steady':
      loads.set(command.id, startLoad(command.request, command.perSecond));
      return [];
    case 'stop': {
      const load = loads.get(command.of);
      loads.delete(command.of);
      clearInterval(load?.timer);
      return await Promise.all(load?.running ?? []);
    }
  }
}

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const command: ProbeCommand = JSON.parse(line);
  void carryOut(command).then((results) => {
    const reply: ProbeReply = { id: command.id, results };
    process.stdout.write(`${JSON.stringify(reply)}\n`);
  });
});
lines.on('close', () => process.exit(0));
