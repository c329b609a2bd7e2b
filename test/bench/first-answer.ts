/**
 * How long an address that a Service's status shows doesn't answer yet: the whole product in the lab, new connections from
 * the client outside.
 */
import { measureFirstAnswers } from '../e2e/support/first-answers.ts';
import { deployWeb } from '../e2e/support/web.ts';
import { startLab } from '../lab/lab.ts';
import { percentile, writeReport } from './report.ts';

const SERVICES = 40;
/** So that what a Service leads to afterwards (conditions, Events, repeated announcements) isn't in the way of the next. */
const PAUSE_MS = 2_000;
const NAMESPACE = 'bench';
const LOG_DIR = process.env.LAB_LOGS ?? '/run/fairlead-lab/logs';

const lab = await startLab({ logDir: LOG_DIR });
try {
  await lab.kubectl(['apply', '-f', 'config/samples/provider.yaml', '-f', 'config/samples/pool.yaml']);
  await deployWeb(lab, NAMESPACE);
  await measureFirstAnswers(lab, NAMESPACE, ['warm']);
  const names = Array.from({ length: SERVICES }, (_, index) => `web-${index}`);
  const times = await measureFirstAnswers(lab, NAMESPACE, names, PAUSE_MS);
  const held = await writeReport({
    name: 'first-answer',
    title: 'An address shows in the status -> it answers outside',
    rows: [
      { what: `IPv4 and IPv6 of ${SERVICES} Services: p50`, value: percentile(times, 0.5), unit: 'ms' },
      { what: 'p99', value: percentile(times, 0.99), unit: 'ms', bar: 300 },
      { what: 'the slowest', value: times.at(-1) ?? Number.NaN, unit: 'ms' },
    ],
    notes: { nodes: lab.nodes.length, 'tried every': '25 ms', kubernetes: '1.36.3' },
  });
  process.exitCode = held ? 0 : 1;
} finally {
  await lab.stop();
}
process.exit();
