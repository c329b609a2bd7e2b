import { createHmac } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import type { Logger } from '../../kube/log.ts';
import type { PeerContact } from './member-record.ts';
import type { Renewal } from './member-view.ts';

export interface PeerOptions {
  self: string;
  /** Where to listen: this node's own addresses. */
  addresses: readonly string[];
  port: number;
  /** Ours, as published in our Lease. */
  key: string;
  /** Another member's contact, as published in its Lease. */
  contactOf: (node: string) => PeerContact | undefined;
  /** A member asks us to vouch for it as of its renewal. */
  vouchFor: (node: string, renewal: Renewal) => boolean;
  /** What the others are to vouch for: our last renewal that we saw come back. */
  renewal: () => Renewal;
  log: Logger;
}

/** One datagram. `count` grows with each question of a process, so that an old one can't be used again. */
interface Message extends Renewal {
  kind: 'ask' | 'vouch';
  from: string;
  to: string;
  count: number;
  mac: string;
}

interface Question {
  askedAt: number;
  needed: number;
  vouchers: Set<string>;
  resolve: (vouched: boolean) => void;
  timer: NodeJS.Timeout;
}

/**
 * Members ask each other directly, over UDP between their nodes, to vouch that they live, when the API server can't say it.
 * Messages carry a code made with both sides' keys, which only those know who may read the agents' Leases.
 */
export class Peers {
  readonly #options: PeerOptions;
  readonly #sockets = new Map<4 | 6, Socket>();
  readonly #questions = new Map<number, Question>();
  /** The last count that was answered, of each asker and key. */
  readonly #answered = new Map<string, number>();
  #count = 0;

  constructor(options: PeerOptions) {
    this.#options = options;
  }

  /** Listens on one address of each family; one that can't be had is logged and left out. */
  async open(): Promise<void> {
    for (const address of this.#options.addresses) {
      const family = address.includes(':') ? 6 : 4;
      if (this.#sockets.has(family)) continue;
      try {
        this.#sockets.set(family, await this.#listen(address, family));
      } catch (error) {
        this.#log.warn('PeerSocketFailed', { address, port: this.#options.port, error });
      }
    }
  }

  /** Asks members to vouch for us; true as soon as `needed` of them did, false after the time-out. */
  ask(nodes: readonly string[], needed: number, askedAt: number, timeoutMs: number): Promise<boolean> {
    if (needed <= 0) return Promise.resolve(true);
    if (nodes.length < needed) return Promise.resolve(false);
    const count = ++this.#count;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#settle(count, false), timeoutMs);
      this.#questions.set(count, { askedAt, needed, vouchers: new Set(), resolve, timer });
      const renewal = this.#options.renewal();
      for (const node of nodes) this.#send('ask', node, count, renewal);
    });
  }

  close(): void {
    for (const count of [...this.#questions.keys()]) this.#settle(count, false);
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }

  get #log(): Logger {
    return this.#options.log;
  }

  #listen(address: string, family: 4 | 6): Promise<Socket> {
    const socket = createSocket(family === 4 ? 'udp4' : 'udp6');
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.bind({ address, port: this.#options.port }, () => {
        socket.off('error', reject);
        socket.on('error', (error) => this.#log.warn('PeerSocketFailed', { error }));
        socket.on('message', (data) => this.#receive(data));
        resolve(socket);
      });
    });
  }

  #send(kind: Message['kind'], to: string, count: number, { session, seq }: Renewal): void {
    const contact = this.#options.contactOf(to);
    const address = contact?.addresses.find((candidate) =>
      this.#sockets.has(candidate.includes(':') ? 6 : 4),
    );
    const socket = address === undefined ? undefined : this.#sockets.get(address.includes(':') ? 6 : 4);
    if (contact === undefined || address === undefined || socket === undefined) return;
    const from = this.#options.self;
    const message = { kind, from, to, count, session, seq };
    const mac = codeOf(message, this.#options.key, contact.key);
    // An unreachable peer is a peer that doesn't vouch.
    socket.send(JSON.stringify({ ...message, mac }), contact.port, address, () => {});
  }

  #receive(data: Buffer): void {
    const message = parseMessage(data);
    if (message === undefined || message.to !== this.#options.self) return;
    const contact = this.#options.contactOf(message.from);
    if (contact === undefined || message.mac !== codeOf(message, contact.key, this.#options.key)) return;
    if (message.kind === 'ask') {
      const asker = `${message.from} ${contact.key}`;
      if (message.count <= (this.#answered.get(asker) ?? 0)) return;
      this.#answered.set(asker, message.count);
      if (this.#options.vouchFor(message.from, message)) {
        this.#send('vouch', message.from, message.count, message);
      }
      return;
    }
    const question = this.#questions.get(message.count);
    question?.vouchers.add(message.from);
    if (question !== undefined && question.vouchers.size >= question.needed)
      this.#settle(message.count, true);
  }

  #settle(count: number, vouched: boolean): void {
    const question = this.#questions.get(count);
    if (question === undefined) return;
    clearTimeout(question.timer);
    this.#questions.delete(count);
    question.resolve(vouched);
  }
}

function codeOf(message: Omit<Message, 'mac'>, senderKey: string, receiverKey: string): string {
  const { kind, from, to, count, session, seq } = message;
  return createHmac('sha256', `${senderKey} ${receiverKey}`)
    .update(`${kind} ${from} ${to} ${count} ${session} ${seq}`)
    .digest('base64');
}

function parseMessage(data: Buffer): Message | undefined {
  try {
    const value: unknown = JSON.parse(data.toString('utf8'));
    if (typeof value !== 'object' || value === null) return undefined;
    const { kind, from, to, count, session, seq, mac } = value as Record<string, unknown>;
    if (kind !== 'ask' && kind !== 'vouch') return undefined;
    if (typeof from !== 'string' || typeof to !== 'string' || typeof mac !== 'string') return undefined;
    if (typeof count !== 'number' || typeof session !== 'string' || typeof seq !== 'number') return undefined;
    return { kind, from, to, count, session, seq, mac };
  } catch {
    return undefined;
  }
}
