import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, release, totalmem } from 'node:os';

/** One figure of a benchmark. */
export interface BenchRow {
  what: string;
  value: number;
  unit: string;
  /** Not above this; without it, and without `least`, the figure is told, not judged. */
  bar?: number;
  /** Not below this. */
  least?: number;
}

/** Figures side by side. */
export interface Comparison {
  title: string;
  columns: readonly string[];
  /** One cell a column; null where there is no figure: the notes say why. */
  rows: readonly { what: string; unit: string; cells: readonly (number | null)[] }[];
}

export interface BenchReport {
  /** File name under bench/results, without its ending. */
  name: string;
  title: string;
  rows: BenchRow[];
  comparisons?: readonly Comparison[];
  /** How it was measured: versions, sizes, settings. */
  notes: Record<string, string | number>;
}

const RESULTS = new URL('../../bench/results/', import.meta.url);

/** Prints a table, writes it as JSON and Markdown to bench/results, and answers whether every bar was held. */
export async function writeReport(report: BenchReport): Promise<boolean> {
  const [cpu] = cpus();
  const machine = {
    cpus: cpus().length,
    cpu: cpu?.model ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
  };
  const rows = report.rows.map((row) => ({ ...row, held: isHeld(row) }));
  const markdown = renderMarkdown({ ...report, rows }, machine);
  process.stdout.write(`${markdown}\n`);
  await mkdir(RESULTS, { recursive: true });
  const json = { ...report, rows, machine, measuredAt: new Date().toISOString() };
  await writeFile(new URL(`${report.name}.json`, RESULTS), `${JSON.stringify(json, null, 2)}\n`);
  await writeFile(new URL(`${report.name}.md`, RESULTS), markdown);
  return rows.every(({ held }) => held);
}

/** The value below which `share` (0 to 1) of the samples lie, by nearest rank; the worst for 1. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

function isHeld({ value, bar, least }: BenchRow): boolean {
  return (bar === undefined || value <= bar) && (least === undefined || value >= least);
}

function renderMarkdown(
  report: Omit<BenchReport, 'rows'> & { rows: (BenchRow & { held: boolean })[] },
  machine: object,
): string {
  const judged = report.rows.map((row) => [
    row.what,
    withUnit(row.value, row.unit),
    describeBar(row),
    describeBar(row) === '' ? '' : row.held ? 'held' : 'MISSED',
  ]);
  const notes = { ...machine, ...report.notes };
  return [
    `# ${report.title}`,
    ...(report.comparisons ?? []).flatMap(renderComparison),
    ...(judged.length === 0 ? [] : ['', ...renderTable(['what', 'measured', 'bar', ''], judged)]),
    '',
    ...Object.entries(notes).map(([name, value]) => `- ${name}: ${value}`),
    '',
  ].join('\n');
}

function renderComparison({ title, columns, rows }: Comparison): string[] {
  const cells = rows.map(({ what, unit, cells }) => [
    what,
    ...cells.map((value) => (value === null ? 'not measured' : withUnit(value, unit))),
  ]);
  return ['', `## ${title}`, '', ...renderTable(['what', ...columns], cells)];
}

function renderTable(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = header.map((title, column) =>
    Math.max(title.length, 3, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(header), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)];
}

function describeBar({ bar, least, unit }: BenchRow): string {
  if (least !== undefined) return `at least ${least} ${unit}`;
  return bar === undefined ? '' : `${bar} ${unit}`;
}

function withUnit(value: number, unit: string): string {
  return Number.isNaN(value) ? '-' : `${round(value)} ${unit}`.trim();
}

function round(value: number): string {
  return Number.isInteger(value) || value >= 100
    ? value.toFixed(0)
    : value >= 10
      ? value.toFixed(1)
      : value.toFixed(2);
}
