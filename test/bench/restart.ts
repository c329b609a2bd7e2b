/** What clients notice when the agent is killed and started again under load: no connection may fail. */
import { percentile, writeReport } from './report.ts';
import { measureRestarts } from './support/measure-restarts.ts';

const SERVICES = Number(process.env.BENCH_RESTART_SERVICES ?? 5_000);
const RESTARTS = Number(process.env.BENCH_RESTARTS ?? 10);
const CONNECTIONS_PER_SECOND = 100;

const { made, failed, slowestMs, restartsMs } = await measureRestarts({
  services: SERVICES,
  restarts: RESTARTS,
  connectionsPerSecond: CONNECTIONS_PER_SECOND,
});
const held = await writeReport({
  name: 'restart',
  title: `The agent killed (SIGKILL) and started again at ${SERVICES.toLocaleString('en')} Services x 2 endpoints`,
  rows: [
    { what: `connections, ${CONNECTIONS_PER_SECOND} a second`, value: made, unit: '' },
    { what: 'of them failed', value: failed.length, unit: '', bar: 0 },
    { what: 'the slowest of the others', value: slowestMs, unit: 'ms' },
    {
      what: 'start over the rules of the one before: median',
      value: percentile(restartsMs, 0.5),
      unit: 'ms',
    },
    { what: 'start over the rules of the one before: slowest', value: Math.max(...restartsMs), unit: 'ms' },
  ],
  notes: {
    kills: `${RESTARTS} while it served, ${RESTARTS} on the way up`,
    through:
      'ClusterIPs and node ports of 10 Services, from another network namespace, masqueraded where need be',
    failures: failed.slice(0, 5).join('; ') || 'none',
  },
});
process.exit(held ? 0 : 1);
