import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';

/** Read as a whole before nft runs: of a line that was cut short, since its writer was killed, nothing is done. */
const SCRIPT = `while IFS= read -r input; do
  said=$(nft "$input" 2>&1 </dev/null)
  printf '%s %s\\n%s' "$?" "\${#said}" "$said"
done`;

/** What nft ended with, and all that it said. */
export interface NftAnswer {
  status: number;
  said: string;
}

type Helper = ChildProcessByStdio<Writable, Readable, null>;

/**
 * A small shell that runs nft for us, one run after the other. To start a process Node copies its own page tables, with
 * everything else waiting: 6 ms at 300 MB, and again as much for the pages that it then writes to. The shell has none.
 */
export class NftHelper {
  #helper: Helper | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  /** Runs commands, in one transaction. Rejects when nobody knows what became of them. */
  run(commands: string, timeoutMs: number): Promise<NftAnswer> {
    const answer = this.#turn.then(() => this.#run(commands, timeoutMs));
    this.#turn = answer.catch(() => {});
    return answer;
  }

  #run(commands: string, timeoutMs: number): Promise<NftAnswer> {
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
        // With a run of nft that it left behind: nothing may come into the kernel after what is written next.
        killAll(helper);
        reject(
          reason instanceof Error ? reason : new Error(`the shell that runs nft ended: ${String(reason)}`),
        );
      };
      const timer = setTimeout(() => fail(new Error(`nft said nothing for ${timeoutMs} ms`)), timeoutMs);
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
      helper.stdin.write(`${commands.trimEnd().replaceAll('\n', ' ; ')}\n`);
    });
  }

  #start(): Helper {
    const helper = startHelper();
    this.#helper = helper;
    // While it only waits nobody listens for its end: the next run must not wait for an answer of the dead.
    helper.once('exit', () => {
      if (this.#helper === helper) this.#helper = undefined;
    });
    return helper;
  }
}

/** In a group of its own, with which a run of nft that hangs can be ended too. */
function startHelper(): Helper {
  const env = { ...process.env, LC_ALL: 'C' };
  const helper = spawn('sh', ['-c', SCRIPT], { stdio: ['pipe', 'pipe', 'inherit'], detached: true, env });
  // Its exit tells more than a broken pipe.
  helper.stdin.on('error', () => {});
  helper.on('error', () => {});
  return helper;
}

/** Null: it isn't whole yet. */
function parseAnswer(heard: string): NftAnswer | null {
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
