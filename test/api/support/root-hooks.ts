import type { RootHookObject } from 'mocha';
import { stopKeptMotos } from '../../peers/aws/kept-motos.ts';
import { stopSharedCluster } from './cluster.ts';
import { passedWholly } from './whole-run.ts';

export const mochaHooks: RootHookObject = {
  async afterAll(this: Mocha.Context) {
    this.timeout(120_000);
    await stopSharedCluster();
    await stopKeptMotos();
    const root = this.test?.parent;
    if (root === undefined || !passedWholly(root, 'test/api/{aws,operator-aws}/**/*.test.ts')) return;
    const { expectNoIdleGrants } = await import('../aws/support/idle-grants.ts');
    expectNoIdleGrants();
  },
};
