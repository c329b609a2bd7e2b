import type { ForwarderFacts } from '../../agent/status/build-status.ts';

/** What an agent reports of a node on which all is well. */
export const WELL: ForwarderFacts = {
  version: '1',
  mode: 'All',
  generation: 1,
  services: 2,
  endpoints: 3,
  elements: 4,
  announced: ['198.18.0.200'],
  unowned: [],
  programmed: true,
  failure: null,
  leftOut: new Map(),
  conflicts: [],
  overflow: 0,
  unstaged: null,
  closedPorts: [],
  staleFlows: null,
  unsetSysctls: [],
};
