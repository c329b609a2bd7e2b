import { runCommand } from '../../kube/run-command.ts';

/** What speaks against a configuration. */
export interface ConfigError {
  /** Line of the file, from 1; undefined: HAProxy names none. */
  line: number | undefined;
  message: string;
}

/** No fault in it, but nothing to listen at: a master with a command line starts with that all the same. */
const NO_LISTENER = 2;
const LONGEST_CHECK_MS = 30_000;

/** Lets HAProxy read a file; empty: it takes it. */
export async function checkConfig(haproxy: string, path: string): Promise<ConfigError[]> {
  const { status, stderr } = await runCommand(haproxy, ['-c', '-f', path], {
    timeoutMs: LONGEST_CHECK_MS,
  });
  if (status === 0 || status === NO_LISTENER) return [];
  const errors = readAlerts(stderr, path);
  return errors.length > 0
    ? errors
    : [
        {
          line: undefined,
          message: stderr.trim().slice(-2000) || `${haproxy} -c ended with status ${status}`,
        },
      ];
}

/** The alerts in what HAProxy wrote, those that only say that there were some left out. */
export function readAlerts(text: string, path: string): ConfigError[] {
  return text.split('\n').flatMap((row): ConfigError[] => {
    const [, said] = /^\[ALERT\]\s+\(\d+\) : (?:config : )?(.*)$/.exec(row) ?? [];
    if (said === undefined || /^(Error\(s\) found|Fatal errors found)/.test(said)) return [];
    const [, before = '', file, line, after = ''] = /^(.*?)\[([^\]]*):(\d+)\](.*)$/.exec(said) ?? [];
    if (file !== path) return [{ line: undefined, message: said }];
    const message = `${before.replace(/parsing $/, '')}${after.replace(/^ : /, '')}`.trim();
    return [{ line: Number(line), message }];
  });
}
