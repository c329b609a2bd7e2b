import { spawn } from 'node:child_process';

export interface RunOptions {
  /** Written to stdin, which is then closed. */
  input?: string | undefined;
  env?: NodeJS.ProcessEnv | undefined;
}

/** Runs a command to its end: its stdout, or an error that carries its stderr. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: options.env ?? process.env, stdio: 'pipe' });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) return resolve(Buffer.concat(out).toString());
      const said = Buffer.concat(err).toString().trim();
      reject(new Error(`${command} ${args.join(' ')} ended with ${code ?? signal}: ${said}`));
    });
    // A command that ends before it read everything says why by its status.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
  });
}
