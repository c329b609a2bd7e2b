/**
 * How soon an element that somebody deletes is back, and how long changes wait for the looks of the audit, while changes
 * never stop and while there are none. Of the agent's forwarding alone, without an API server.
 *
 * BENCH_AUDIT_SIZES=1000x2,10000x5 BENCH_AUDIT_SECONDS=30 BENCH_AUDIT_CHANGES=20 (a second)
 */
import { createNft } from '../../agent/nftables/run-nft.ts';
import { percentile, writeReport } from './report.ts';
import { type AuditFigures, measureAudit } from './support/measure-audit.ts';

const SIZES = process.env.BENCH_AUDIT_SIZES ?? '1000x2,10000x5';
const SECONDS = Number(process.env.BENCH_AUDIT_SECONDS ?? 30);
const CHANGES = Number(process.env.BENCH_AUDIT_CHANGES ?? 20);

const ROWS: readonly { what: string; unit: string; read: (figures: AuditFigures) => number }[] = [
  { what: 'a deleted element is back after', unit: 's', read: ({ backMs }) => backMs / 1000 },
  { what: 'change: p50', unit: 'ms', read: ({ waits }) => percentile(waits, 0.5) },
  { what: 'change: p99', unit: 'ms', read: ({ waits }) => percentile(waits, 0.99) },
  { what: 'change: the longest', unit: 'ms', read: ({ waits }) => percentile(waits, 1) },
];

const results: { column: string; figures: AuditFigures }[] = [];
const nft = createNft();
for (const size of SIZES.split(',')) {
  const [services = 0, endpoints = 0] = size.split('x').map(Number);
  for (const perSecond of [0, CHANGES]) {
    const figures = await measureAudit({ services, endpoints, perSecond, auditMs: SECONDS * 1000, nft });
    results.push({ column: `${size}, ${perSecond} changes/s`, figures });
  }
}
const held = await writeReport({
  name: 'audit',
  title: `An element that somebody deletes, --audit-seconds ${SECONDS}`,
  rows: [],
  comparisons: [
    {
      title: 'Services x endpoints',
      columns: results.map(({ column }) => column),
      rows: ROWS.map(({ what, unit, read }) => ({
        what,
        unit,
        cells: results.map(({ figures }) => {
          const value = read(figures);
          return Number.isNaN(value) ? null : value;
        }),
      })),
    },
  ],
  notes: { changes: 'one endpoint of one Service each; none: there is nothing to wait' },
});
process.exit(held ? 0 : 1);
