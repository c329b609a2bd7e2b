/**
 * How close Fairlead comes to what AWS' token buckets allow, when Services come at once, with managed security groups and
 * without. AWS is a stand-in on the same cores, so its rates are higher than AWS', and with groups not as high: otherwise the
 * stand-in would be measured.
 */
import { AwsBurst } from '../chaos/support/aws-burst.ts';
import { percentile, writeReport } from './report.ts';

const COUNT = Number(process.env.BENCH_BURST_SERVICES ?? 1_000);
const ALONE = 5;
/** AWS' own calls take this long and longer; without it one Service alone is a matter of this machine only. */
const LATENCY_MS = 150;
const RUNS = [
  {
    name: 'without managed security groups',
    factor: Number(process.env.BENCH_BURST_FACTOR ?? 20),
    managed: false,
  },
  {
    name: 'with managed security groups',
    factor: Number(process.env.BENCH_BURST_FACTOR_WITH_GROUPS ?? 5),
    managed: true,
  },
];

const rows = [];
for (const { factor, managed, name } of RUNS) {
  const burst = await AwsBurst.start({ factor, manageSecurityGroup: managed, latencyMs: LATENCY_MS });
  try {
    burst.fail();
    const alone: number[] = [];
    for (let times = 0; times < ALONE; times++) alone.push(await burst.serveAlone());
    const { idealSeconds, singleMs, tookSeconds } = await burst.serveCrowd(COUNT);
    const aloneMs = percentile(alone, 0.5);
    rows.push(
      { what: `${name}, ${factor} times AWS' rates: all served`, value: tookSeconds, unit: 's' },
      { what: `${name}: what the buckets allow`, value: idealSeconds, unit: 's' },
      {
        what: `${name}: all served / what the buckets allow`,
        value: tookSeconds / idealSeconds,
        unit: 'x',
        bar: 1.5,
      },
      { what: `${name}: one of another namespace, alone, median of ${ALONE}`, value: aloneMs, unit: 'ms' },
      { what: `${name}: the same beside the others`, value: singleMs, unit: 'ms' },
      { what: `${name}: beside the others / alone`, value: singleMs / aloneMs, unit: 'x', bar: 3 },
    );
  } finally {
    await burst.stop();
  }
}
const held = await writeReport({
  name: 'aws-burst',
  title: `${COUNT.toLocaleString('en')} Services at once at AWS' token buckets`,
  rows,
  notes: {
    AWS: `moto behind a proxy that has the buckets, and waits ${LATENCY_MS} ms before each call`,
    failures: 'a tenth of calls throttled, 1 in 200 failing, 1 in 200 done and not answered',
    writes: '4 of ELBv2 for each Service, and 2 of EC2 with groups',
  },
});
process.exit(held ? 0 : 1);
