import { setTimeout as sleep } from 'node:timers/promises';
import { awaitBeacon } from './beacon.ts';
import type { Case, Stage } from './case.ts';
import type { ConformanceLab } from './lab.ts';
import type { Family } from './places.ts';
import { runProbe } from './run-probe.ts';
import { Trial } from './trial.ts';

/** How long a new state may take to be all as expected, on a machine that is busy with other things, too. */
const SETTLE_MS = 20_000;
const PAUSE_MS = 100;

/** What was wrong in each family; empty lists when nothing was. */
export type Findings = Record<Family, string[]>;

/** Those that a case is run in. */
export function familiesOf({ families }: Case, ofCluster: readonly Family[]): Family[] {
  return ofCluster.filter((family) => families?.includes(family) ?? true);
}

/** Brings about a case's stages, one after the other, and looks at each. Never throws. */
export async function runCase(subject: Case, lab: ConformanceLab, number: number): Promise<Findings> {
  const findings: Findings = { IPv4: [], IPv6: [] };
  const trial = new Trial(lab, number);
  const families = familiesOf(subject, lab.families);
  const tell = (error: unknown) => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    for (const family of families) findings[family].push(text);
  };
  try {
    for (const [index, stage] of subject.stages.entries()) {
      if (stage.services !== undefined) await trial.write(stage.services);
      await stage.act?.(trial);
      if (stage.awaits?.length !== 0) await awaitBeacon(lab, `b${number}-${index}`, stage.awaits);
      const told = await Promise.all(families.map((family) => untilWell(stage, trial, family)));
      for (const [at, family] of families.entries()) {
        findings[family].push(
          ...(told[at] ?? []).map((problem) => `${stage.when ?? 'at first'}: ${problem}`),
        );
      }
      // What comes after would only repeat it.
      if (families.some((family) => findings[family].length > 0)) break;
    }
  } catch (error) {
    tell(error);
  } finally {
    await trial.removeAll().catch(tell);
    await subject.afterwards?.(lab).catch(tell);
  }
  return findings;
}

/**
 * All probes at once, again and again until none finds anything or time is up: what follows the API server's word may take
 * a moment, though the beacon has shown that rules of that time are in.
 */
async function untilWell(stage: Stage, trial: Trial, family: Family): Promise<string[]> {
  const deadline = performance.now() + SETTLE_MS;
  for (;;) {
    const told = await Promise.all(stage.expect.map((probe) => runProbe(probe, trial, family)));
    const problems = told.filter((problem) => problem !== undefined);
    if (problems.length === 0 || performance.now() > deadline) return problems;
    await sleep(PAUSE_MS);
  }
}
