import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, release, totalmem } from 'node:os';

/** One figure of a benchmark. */
export interface BenchRow {
  what: string;
  value: number;
  unit: string;
  /** Not above this; without it the figure is told, not judged. */
  bar?: number;
}

export interface BenchReport {
  /** File name under bench/results, without its ending. */
  name: string;
  title: string;
  rows: BenchRow[];
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
  const rows = report.rows.map((row) => ({ ...row, held: row.bar === undefined || row.value <= row.bar }));
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

function renderMarkdown(
  report: Omit<BenchReport, 'rows'> & { rows: (BenchRow & { held: boolean })[] },
  machine: object,
): string {
  const cells = report.rows.map(({ what, value, unit, bar, held }) => [
    what,
    `${round(value)} ${unit}`,
    bar === undefined ? '' : `${bar} ${unit}`,
    bar === undefined ? '' : held ? 'held' : 'MISSED',
  ]);
  const header = ['what', 'measured', 'bar', ''];
  const widths = header.map((title, column) =>
    Math.max(title.length, 3, ...cells.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const notes = { ...machine, ...report.notes };
  return [
    `# ${report.title}`,
    '',
    line(header),
    line(widths.map((width) => '-'.repeat(width))),
    ...cells.map(line),
    '',
    ...Object.entries(notes).map(([name, value]) => `- ${name}: ${value}`),
    '',
  ].join('\n');
}

function round(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
