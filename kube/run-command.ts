import { spawn } from 'node:child_process';

export interface CommandResult {
  stdout: string;
  stderr: string;
  /** Exit status; -1 when it could not be started or was killed. */
  status: number;
}

export interface CommandOptions {
  input?: string;
  /** @default 10000 */
  timeoutMs?: number;
}

/** Runs a program without a shell. Never rejects: what went wrong is in `status` and `stderr`. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: 'pipe', timeout: options.timeoutMs ?? 10_000 });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    let failure = '';
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.on('error', (error) => {
      failure = error.message;
    });
    // A program that ends before it read its input.
    child.stdin.on('error', () => {});
    child.on('close', (code) => {
      resolve({
        stdout: Buffer.concat(stdout).toString('utf8'),
        stderr: (Buffer.concat(stderr).toString('utf8') + failure).trim(),
        status: code ?? -1,
      });
    });
    child.stdin.end(options.input ?? '');
  });
}

/** As `runCommand`. @throws Error with the program's own words when it fails. */
export async function runOrThrow(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const result = await runCommand(command, args, options);
  if (result.status === 0) return result.stdout;
  throw new Error(`${command} ${args.join(' ')}: ${result.stderr || `exit status ${result.status}`}`);
}
