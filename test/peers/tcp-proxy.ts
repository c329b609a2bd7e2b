import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/**
 * A TCP proxy on loopback that can be as bad as a network: cut connections, swallow what is sent, refuse or delay. What is
 * inside (TLS) passes as it is.
 */
export class TcpProxy {
  readonly #server: Server;
  readonly #pairs = new Set<[Socket, Socket]>();
  #stalled = false;
  #refusing = false;
  #delayMs = 0;
  /** Connections taken since the start. */
  accepted = 0;

  private constructor(target: { host: string; port: number }) {
    // Half-open sockets would outlive the test that made them.
    this.#server = createServer({ allowHalfOpen: false, noDelay: true }, (inner) =>
      this.#take(inner, target),
    );
  }

  /** Listens on a free port, and passes everything to `target`. */
  static async start(target: { host: string; port: number }): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Open now. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** Resets every connection, as a router that lost its memory does. */
  cut(): void {
    for (const [inner, outer] of this.#pairs) {
      inner.resetAndDestroy();
      outer.destroy();
    }
  }

  /** Takes connections and bytes, passes none on, ends nothing: what a hung peer or a dropping firewall looks like. */
  stall(): void {
    this.#stalled = true;
    for (const pair of this.#pairs) for (const socket of pair) socket.pause();
  }

  /** Resets new connections at once. */
  refuse(): void {
    this.#refusing = true;
  }

  /** Holds each piece back for so long, both ways. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /** Ends `stall`, `refuse` and `delay`; what was held back comes through. */
  heal(): void {
    this.#refusing = false;
    this.#delayMs = 0;
    this.#stalled = false;
    for (const pair of this.#pairs) for (const socket of pair) socket.resume();
  }

  async stop(): Promise<void> {
    this.#server.close();
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
    await once(this.#server, 'close');
  }

  #take(inner: Socket, target: { host: string; port: number }): void {
    this.accepted++;
    if (this.#refusing) {
      inner.on('error', () => {});
      inner.resetAndDestroy();
      return;
    }
    const outer = connect(target.port, target.host);
    const pair: [Socket, Socket] = [inner, outer];
    this.#pairs.add(pair);
    this.#pipe(inner, outer, pair);
    this.#pipe(outer, inner, pair);
    if (this.#stalled) for (const socket of pair) socket.pause();
  }

  #pipe(from: Socket, to: Socket, pair: [Socket, Socket]): void {
    from.on('data', (chunk) => {
      if (this.#delayMs > 0) setTimeout(() => to.writable && to.write(chunk), this.#delayMs);
      else to.write(chunk);
    });
    from.on('error', () => {});
    from.on('close', () => {
      this.#pairs.delete(pair);
      to.destroy();
    });
  }
}
