import { spawn } from 'node:child_process';

export interface CommandResult {
  status: number;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  input?: string;
  env?: NodeJS.ProcessEnv;
  signal?: AbortSignal;
  /** Each piece of output as it comes, for a caller that shows it. */
  onOutput?: (stream: 'stdout' | 'stderr', text: string) => void;
}

/** Runs a program to its end, whatever its exit status; rejects only when it can't be started. */
export function runCommand(command: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const [program = '', ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      ...(options.env && { env: options.env }),
      ...(options.signal && { signal: options.signal }),
    });
    const output = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream]?.setEncoding('utf8').on('data', (text: string) => {
        output[stream] += text;
        options.onOutput?.(stream, text);
      });
    }
    // A program may end without reading its input: that is its exit status's business, not an error of ours.
    child.stdin?.on('error', () => {});
    child.stdin?.end(options.input);
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ status: code ?? (signal ? 128 : 1), ...output }));
  });
}

/** Runs a program that has to succeed. Returns its standard output; throws with what it said otherwise. */
export async function mustRun(command: readonly string[], options: CommandOptions = {}): Promise<string> {
  const result = await runCommand(command, options);
  if (result.status !== 0) {
    const said = (result.stderr || result.stdout).trim();
    throw new Error(`${command.join(' ')} ended with status ${result.status}: ${said}`);
  }
  return result.stdout;
}
