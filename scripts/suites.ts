import { globSync } from 'node:fs';

export interface CheckStep {
  name: string;
  command: string;
  args: readonly string[];
}

interface SuiteBase {
  name: string;
  /** What the suite shows, for the help text. */
  about: string;
  timeoutMinutes: number;
}

export interface CheckSuite extends SuiteBase {
  steps: readonly CheckStep[];
}

export interface MochaSuite extends SuiteBase {
  files: string;
  /** Runs inside scripts/in-namespaces. */
  isolated: boolean;
  needsControlPlane: boolean;
}

export type Suite = CheckSuite | MochaSuite;

const mocha = (
  name: string,
  about: string,
  options: { isolated?: boolean; needsControlPlane?: boolean; timeoutMinutes: number },
): MochaSuite => ({
  name,
  about,
  files: `test/${name}/**/*.test.ts`,
  isolated: options.isolated ?? false,
  needsControlPlane: options.needsControlPlane ?? false,
  timeoutMinutes: options.timeoutMinutes,
});

/** biome colours what it writes to a pipe or file too. */
const COLORS = process.stdout.isTTY ? [] : ['--colors=off'];

/** Every suite, in the order in which `make test` runs them: quick answers first. */
export const SUITES: readonly Suite[] = [
  {
    name: 'check',
    about: 'types, format and lint, generated files, texts',
    timeoutMinutes: 5,
    steps: [
      { name: 'types (tsc)', command: 'node_modules/.bin/tsc', args: ['-p', '.'] },
      { name: 'format and lint (biome)', command: 'node_modules/.bin/biome', args: ['ci', ...COLORS, '.'] },
      {
        name: 'generated files are up to date (make crds)',
        command: process.execPath,
        args: ['crds/generate.ts', '--check'],
      },
      {
        name: 'docs/conformance.md lists the cases as they are (make conformance-docs)',
        command: process.execPath,
        args: ['test/net/conformance/write-docs.ts', '--check'],
      },
      {
        name: 'docs/providers/webhook.schema.json is the contract (make crds)',
        command: process.execPath,
        args: ['providers/webhook/docs/write-schemas.ts', '--check'],
      },
      { name: 'lockfile is whole', command: process.execPath, args: ['scripts/check-lockfile.ts'] },
      {
        name: 'texts name no path of this machine',
        command: process.execPath,
        args: ['scripts/check-texts.ts'],
      },
    ],
  },
  mocha('unit', 'pure stages, no I/O', { timeoutMinutes: 5 }),
  mocha('golden', 'inputs and the texts that they must give', { timeoutMinutes: 5 }),
  mocha('api', 'against a real API server', { needsControlPlane: true, timeoutMinutes: 30 }),
  mocha('net', 'against the real kernel, in namespaces', {
    isolated: true,
    needsControlPlane: true,
    timeoutMinutes: 30,
  }),
  mocha('chaos', 'killed and cut off at any moment', {
    isolated: true,
    needsControlPlane: true,
    timeoutMinutes: 20,
  }),
  mocha('e2e', 'the whole product in the lab cluster', {
    isolated: true,
    needsControlPlane: true,
    timeoutMinutes: 15,
  }),
];

/** Those of the kernel, which wait for much of their time, as do those of an API server. */
const SECOND_LANE: readonly string[] = ['net', 'e2e'];

/** Suites that run one after the other, beside those of the other lane. Only lanes that have any. */
export function splitIntoLanes(suites: readonly Suite[]): Suite[][] {
  const lanes = [false, true].map((second) =>
    suites.filter(({ name }) => SECOND_LANE.includes(name) === second),
  );
  return lanes.filter((lane) => lane.length > 0);
}

/** Suites that every `make test` must find tests in. */
const REQUIRED: readonly string[] = ['check', 'unit', 'golden', 'api', 'net'];

/** Those named, or all that are required or have tests. Throws for a name that there is none of. */
export function chooseSuites(
  names: readonly string[],
  hasFiles: (files: string) => boolean = filesExist,
): Suite[] {
  for (const name of names) {
    if (!SUITES.some((suite) => suite.name === name)) {
      throw new Error(`no suite ${name}; there are ${SUITES.map((suite) => suite.name).join(', ')}`);
    }
  }
  if (names.length > 0) return SUITES.filter((suite) => names.includes(suite.name));
  return SUITES.filter(
    (suite) => REQUIRED.includes(suite.name) || ('files' in suite && hasFiles(suite.files)),
  );
}

export function filesExist(files: string): boolean {
  return globSync(files).length > 0;
}
