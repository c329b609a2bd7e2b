import type { Change } from '../provider.ts';
import type { HeardReport } from './edges.ts';

/** An entry of a status that goes. */
export interface ReportChange extends Change {
  edge: string;
}

/** After so long nobody waits any more for an edge that fell silent. */
export const FORGET_AFTER_SECONDS = 3600;

/**
 * What edges said that are silent for long, once another one serves: as long as none does, it's all that is known of who may
 * serve still.
 */
export function diffReports(
  reports: readonly HeardReport[],
  forgetAfterSeconds = FORGET_AFTER_SECONDS,
): ReportChange[] {
  return findReplaced(reports)
    .filter(({ silentSeconds }) => silentSeconds >= forgetAfterSeconds)
    .map(({ name, silentSeconds }) => ({
      action: 'Delete',
      resource: 'EdgeReport',
      summary: `take out what edge "${name}" said, of which nothing is heard for ${Math.round(silentSeconds / 60)} minutes while another serves`,
      edge: name,
    }));
}

/** When the next one is to go, in seconds from now; undefined: none is. */
export function untilForgotten(
  reports: readonly HeardReport[],
  forgetAfterSeconds = FORGET_AFTER_SECONDS,
): number | undefined {
  const left = findReplaced(reports).map(({ silentSeconds }) => forgetAfterSeconds - silentSeconds);
  return left.length === 0 ? undefined : Math.max(1, Math.ceil(Math.min(...left)));
}

function findReplaced(reports: readonly HeardReport[]): { name: string; silentSeconds: number }[] {
  if (!reports.some(({ serving, silentSeconds }) => serving && silentSeconds === undefined)) return [];
  return reports.flatMap(({ name, silentSeconds }) =>
    silentSeconds === undefined ? [] : [{ name, silentSeconds }],
  );
}
