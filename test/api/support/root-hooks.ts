import type { RootHookObject } from 'mocha';
import { stopSharedCluster } from './cluster.ts';

export const mochaHooks: RootHookObject = {
  async afterAll(this: Mocha.Context) {
    this.timeout(120_000);
    await stopSharedCluster();
  },
};
