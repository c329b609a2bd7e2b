import type { RootHookObject } from 'mocha';
import { stopSharedCluster } from './cluster.ts';

export const mochaHooks: RootHookObject = {
  async afterAll(this: Mocha.Context) {
    this.timeout(30_000);
    await stopSharedCluster();
  },
};
