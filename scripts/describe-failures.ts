/** Something that failed, so that a reader of the run's last lines finds it. */
export interface Failure {
  /** The titles of a test from the outside in, as mocha's --grep takes them. */
  title: string;
  /** Relative to the project. */
  file?: string;
  /** The first lines of its error. */
  error: readonly string[];
  /** The regular expression by which mocha's --grep runs it again; absent when that can't show that it was chance. */
  again?: string;
}

export interface FailedSuite {
  name: string;
  failures: readonly Failure[];
  /** Those that passed when they were run again. */
  flaky?: readonly Failure[];
}

/** An error may quote whole objects: that much of it is told at the end. */
const MOST_LINES = 6;
const MOST_CHARACTERS = 400;

/** The first lines of an error's message, and where in the project it was thrown. `root` is the project's folder. */
export function firstLines(error: unknown, root: string): string[] {
  if (!(error instanceof Error)) return cut(String(error));
  const frame = (error.stack ?? '')
    .split('\n')
    .find((line) => /^\s+at /.test(line) && line.includes(`${root}/`) && !line.includes('node_modules'));
  const place = frame === undefined ? [] : [frame.trim().replace('file://', '').replace(`${root}/`, '')];
  return [...cut(`${error.name}: ${error.message}`), ...place];
}

function cut(text: string): string[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const kept = lines
    .slice(0, MOST_LINES)
    .map((line) => (line.length > MOST_CHARACTERS ? `${line.slice(0, MOST_CHARACTERS)}...` : line));
  return lines.length > MOST_LINES ? [...kept, '...'] : kept;
}

/** Every failure of a run, in the order of its suites; nothing when there is none. */
export function describeFailures(suites: readonly FailedSuite[]): string[] {
  return [
    ...describe('=== flaky: failed, and passed when run again', suites, ({ flaky = [] }) => flaky),
    ...describe('=== failed', suites, ({ failures }) => failures),
  ];
}

function describe(
  heading: string,
  suites: readonly FailedSuite[],
  choose: (suite: FailedSuite) => readonly Failure[],
): string[] {
  const blocks = suites.flatMap((suite) =>
    choose(suite).flatMap(({ title, file, error }) => [
      `${suite.name}: ${title}`,
      ...(file === undefined ? [] : [`  ${file}`]),
      ...error.map((line) => `    ${line}`),
    ]),
  );
  return blocks.length === 0 ? [] : [heading, ...blocks];
}
