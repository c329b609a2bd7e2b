import { execFile } from 'node:child_process';

/** Runs a command, and returns what it printed; throws with what it said. */
export function run(command: string, ...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { maxBuffer: 2 ** 28 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${command} ${args.join(' ')}: ${stderr.trim() || error.message}`));
    });
  });
}

/** Runs many `ip` commands at once, as `ip -batch` does: one process, and the first that fails stops it. */
export function ipBatch(lines: readonly string[], netns?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const scope = netns === undefined ? [] : ['-n', netns];
    const child = execFile('ip', [...scope, '-batch', '-'], (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`ip: ${stderr.trim() || error.message}`));
    });
    child.stdin?.end(`${lines.join('\n')}\n`);
  });
}
