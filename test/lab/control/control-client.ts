import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { ControlReply, ControlTold, LabMethod, LabMethods } from './protocol.ts';

interface Waiting {
  resolve: (result: unknown) => void;
  reject: (why: Error) => void;
  tell: (told: ControlTold) => void;
}

/** Asks a running lab, over its control socket. */
export class ControlClient {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    createInterface({ input: socket }).on('line', (line) => this.#receive(JSON.parse(line)));
    const lost = () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the lab has ended'));
      this.#waiting.clear();
    };
    socket.on('error', lost);
    socket.on('close', lost);
  }

  /** Rejects when no lab listens on this path. */
  static connect(path: string): Promise<ControlClient> {
    const socket = connect(path);
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new ControlClient(socket));
      });
    });
  }

  call<M extends LabMethod>(
    method: M,
    params: LabMethods[M]['params'],
    tell: (told: ControlTold) => void = () => {},
  ): Promise<LabMethods[M]['result']> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      // Both ends are of one version: what the method answers is what the protocol says.
      const settle = (result: unknown) => resolve(result as LabMethods[M]['result']);
      this.#waiting.set(id, { resolve: settle, reject, tell });
      this.#socket.write(`${JSON.stringify({ id, method, params })}\n`);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(reply: ControlReply): void {
    const waiting = this.#waiting.get(reply.id);
    if (!waiting) return;
    if ('told' in reply) {
      waiting.tell(reply.told);
      return;
    }
    this.#waiting.delete(reply.id);
    if ('error' in reply) waiting.reject(new Error(reply.error));
    else waiting.resolve(reply.result);
  }
}
