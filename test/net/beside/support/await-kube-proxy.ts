import { isDeepStrictEqual } from 'node:util';
import { expect } from 'chai';
import { eventually, sleep } from '../../../support/eventually.ts';
import type { BesideLab } from './beside-lab.ts';
import { expectKubeProxys, PLAIN } from './expectations.ts';
import { readForeignTables } from './foreign-rules.ts';
import { clusterIpsOf } from './services.ts';

/** More than its minimum sync period. */
const QUIET_MS = 1_500;

/** Resolves once kube-proxy has written all it will; with the tables of the first node that aren't ours. */
export async function untilKubeProxyIsQuiet(lab: BesideLab): Promise<Map<string, string>> {
  await eventually(async () => {
    const text = [...(await readForeignTables()).values()].join();
    for (const address of clusterIpsOf(PLAIN.host)) expect(text).to.include(address);
  }, 30_000);
  await eventually(() => expectKubeProxys(lab), 30_000);
  for (;;) {
    const before = await readForeignTables();
    await sleep(QUIET_MS);
    if (isDeepStrictEqual(await readForeignTables(), before)) return before;
  }
}
