import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';

/** What a run ended with, and all that it said. */
export interface ShellAnswer {
  status: number;
  said: string;
}

type Helper = ChildProcessByStdio<Writable, Readable, null>;

/**
 * A small shell that runs programs for us, one run after the other. To start a process Node copies its own page tables, with
 * everything else waiting: 6 ms at 300 MB, and again as much for the pages that it then writes to. The shell has none.
 */
export class ShellHelper {
  readonly #script: string;
  #helper: Helper | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  /**
   * `reads` takes a run's input from stdin, all of it, and fails where it ends: its writer may be killed in the midst. `runs` is
   * what is done with it then; what it writes is what is said.
   */
  constructor(reads: string, runs: string) {
    this.#script = renderScript(reads, runs);
  }

  /** Takes in the input, and runs what is to be done with it. Rejects when nobody knows what became of the run. */
  run(input: string, timeoutMs: number): Promise<ShellAnswer> {
    const answer = this.#turn.then(() => this.#run(input, timeoutMs));
    this.#turn = answer.catch(() => {});
    return answer;
  }

  #run(input: string, timeoutMs: number): Promise<ShellAnswer> {
    const helper = this.#helper ?? this.#start();
    return new Promise((resolve, reject) => {
      let heard = '';
      const end = () => {
        clearTimeout(timer);
        helper.stdout.off('data', hear);
        helper.off('error', fail).off('close', fail);
        keepAlive(helper, false);
      };
      const fail = (reason: unknown) => {
        end();
        this.#helper = undefined;
        // With what it left running: nothing of that may come into the kernel after what is written next.
        killAll(helper);
        reject(
          reason instanceof Error ? reason : new Error(`a shell that runs programs ended: ${String(reason)}`),
        );
      };
      const timer = setTimeout(() => fail(new Error(`it said nothing for ${timeoutMs} ms`)), timeoutMs);
      const hear = (chunk: Buffer) => {
        heard += chunk.toString('latin1');
        const answer = parseAnswer(heard);
        if (answer === null) return;
        end();
        resolve(answer);
      };
      keepAlive(helper, true);
      helper.stdout.on('data', hear);
      helper.once('error', fail).once('close', fail);
      helper.stdin.write(input);
    });
  }

  #start(): Helper {
    const helper = startHelper(this.#script);
    this.#helper = helper;
    // While it only waits nobody listens for its end: the next run must not wait for an answer of the dead.
    helper.once('exit', () => {
      if (this.#helper === helper) this.#helper = undefined;
    });
    return helper;
  }
}

/** In a group of its own, with which a program that hangs can be ended too. */
function startHelper(script: string): Helper {
  const env = { ...process.env, LC_ALL: 'C' };
  const helper = spawn('sh', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'], detached: true, env });
  // First: without file descriptors left there are no pipes, either.
  helper.on('error', () => {});
  // Its exit tells more than a broken pipe.
  helper.stdin.on('error', () => {});
  return helper;
}

/** Answers `<status> <length>`, a new line, and what was said; the length is in bytes. */
function renderScript(reads: string, runs: string): string {
  return `while ${reads}; do
  said=$(
    ${runs}
  )
  printf '%s %s\\n%s' "$?" "\${#said}" "$said"
done`;
}

/** Null: it isn't whole yet. */
function parseAnswer(heard: string): ShellAnswer | null {
  const [head = '', status, length] = /^(\d+) (\d+)\n/.exec(heard) ?? [];
  if (head === '' || heard.length < head.length + Number(length)) return null;
  return { status: Number(status), said: heard.slice(head.length, head.length + Number(length)) };
}

/** A shell that only waits keeps no process from ending; it ends with it. */
function keepAlive(helper: Helper, needed: boolean): void {
  for (const each of [helper, helper.stdin, helper.stdout]) {
    if (each !== helper && !(each instanceof Socket)) continue;
    if (needed) each.ref();
    else each.unref();
  }
}

function killAll(helper: Helper): void {
  if (helper.pid === undefined) return;
  try {
    process.kill(-helper.pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}
