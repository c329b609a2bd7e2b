import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Answer, Dial, Flow, Outcome, Request, Transport } from './station-protocol.ts';

const PROCESS = fileURLToPath(new URL('station-process.ts', import.meta.url));

interface Message {
  id: number;
  answer?: Answer;
  error?: string;
}

/** A process in a network namespace that answers and dials. */
export class Station {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (message: Message) => void>();
  #lastId = 0;

  private constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.#child = child;
    child.on('message', (message: Message) => {
      this.#waiting.get(message.id)?.(message);
      this.#waiting.delete(message.id);
    });
  }

  static async start(netns: string): Promise<Station> {
    const child = spawn('ip', ['netns', 'exec', netns, process.execPath, PROCESS, netns], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const station = new Station(netns, child);
    await new Promise<Message>((resolve, reject) => {
      station.#waiting.set(0, resolve);
      child.once('exit', () => reject(new Error(`station ${netns} ended at its start`)));
    });
    return station;
  }

  async listen(transport: Transport, port: number): Promise<void> {
    await this.#ask({ do: 'listen', transport, port });
  }

  async dial(transport: Transport, address: string, port: number, timeoutMs = 2_000): Promise<Outcome> {
    const [outcome] = await this.dialAll([{ transport, address, port, timeoutMs }]);
    if (outcome === undefined) throw new Error('no outcome');
    return outcome;
  }

  /** All at once. */
  async dialAll(dials: Dial[]): Promise<Outcome[]> {
    return this.#outcomes({ do: 'dial', dials });
  }

  /** Dials at a steady pace while `work` runs; returns every outcome. */
  async dialWhile(dial: Dial, everyMs: number, work: () => Promise<void>): Promise<Outcome[]> {
    await this.#ask({ do: 'keepDialing', dial, everyMs });
    try {
      await work();
    } finally {
      // The last ones that were begun count too.
      await new Promise((resolve) => setTimeout(resolve, everyMs * 2));
    }
    return this.#outcomes({ do: 'halt' });
  }

  /** How many of so many bytes, sent over TCP to a station, come back. */
  async exchange(dial: Dial, bytes: number): Promise<number> {
    const answer = await this.#ask({ do: 'exchange', dial, bytes });
    if (!('text' in answer)) throw new Error('no count came back');
    return Number(answer.text);
  }

  /** A TCP flow is connected when this resolves; it fails as connecting does. */
  async openFlow(id: string, flow: Flow): Promise<void> {
    await this.#ask({ do: 'openFlow', id, flow });
  }

  /** Says something on the flow, and tells who answers. */
  async useFlow(id: string, timeoutMs = 500): Promise<Outcome> {
    const [outcome] = await this.#outcomes({ do: 'useFlow', id, timeoutMs });
    if (outcome === undefined) throw new Error('no outcome');
    return outcome;
  }

  async closeFlow(id: string): Promise<void> {
    await this.#ask({ do: 'closeFlow', id });
  }

  /**
   * The packets seen in this namespace, while `work` runs, that are from, to or about an address and port (0: any):
   * as watch-packets.pl says them, such as `in 2 tcp AR`.
   */
  async watch(address: string, port: number, work: () => Promise<void>): Promise<string[]> {
    const id = `watch-${++this.#lastId}`;
    await this.#ask({ do: 'watch', id, address, port });
    try {
      await work();
    } catch (error) {
      await this.#ask({ do: 'unwatch', id });
      throw error;
    }
    const answer = await this.#ask({ do: 'unwatch', id });
    if (!('packets' in answer) || !Array.isArray(answer.packets)) throw new Error('no packets came back');
    return answer.packets;
  }

  async hold(address: string, port: number): Promise<void> {
    await this.#ask({ do: 'hold', dial: { transport: 'tcp', address, port } });
  }

  /** Says something on the held connection; returns what comes back. */
  async talk(text: string): Promise<string> {
    const answer = await this.#ask({ do: 'talk', text });
    if (!('text' in answer) || typeof answer.text !== 'string') throw new Error('no text came back');
    return answer.text;
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }

  async #outcomes(request: Request): Promise<Outcome[]> {
    const answer = await this.#ask(request);
    if (!('outcomes' in answer) || !Array.isArray(answer.outcomes)) throw new Error('no outcomes came back');
    return answer.outcomes;
  }

  #ask(request: Request): Promise<Answer> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ({ answer, error }) => {
        if (answer === undefined) reject(new Error(`${this.name}: ${error}`));
        else resolve(answer);
      });
      // Without a callback, one who still asks when the lab is being stopped would end the whole run.
      this.#child.send({ id, request }, (error) => {
        if (error === null) return;
        this.#waiting.delete(id);
        reject(new Error(`${this.name} is gone: ${error.message}`, { cause: error }));
      });
    });
  }
}
