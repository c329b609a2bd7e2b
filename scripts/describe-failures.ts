/** Something that failed, so that a reader of the run's last lines finds it. */
export interface Failure {
  /** The titles of a test from the outside in, as mocha's --grep takes them. */
  title: string;
  /** Relative to the project. */
  file?: string;
  /** The first lines of its error. */
  error: readonly string[];
}

export interface FailedSuite {
  name: string;
  failures: readonly Failure[];
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
  const blocks = suites.flatMap(({ name, failures }) =>
    failures.flatMap(({ title, file, error }) => [
      `${name}: ${title}`,
      ...(file === undefined ? [] : [`  ${file}`]),
      ...error.map((line) => `    ${line}`),
    ]),
  );
  return blocks.length === 0 ? [] : ['=== failed', ...blocks];
}
