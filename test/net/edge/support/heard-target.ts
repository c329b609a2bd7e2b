import { createServer, type Server, type Socket } from 'node:net';

/** A target that keeps what each of its connections said, from the first byte on. */
export class HeardTarget {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly heard: Buffer[] = [];

  private constructor() {
    this.#server = createServer((socket) => {
      const index = this.heard.push(Buffer.alloc(0)) - 1;
      this.#sockets.add(socket);
      socket.on('data', (data) => {
        this.heard[index] = Buffer.concat([this.heard[index] ?? Buffer.alloc(0), data]);
      });
      socket.on('error', () => socket.destroy());
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  static async start(address: string, port: number): Promise<HeardTarget> {
    const target = new HeardTarget();
    await new Promise<void>((resolve, reject) => {
      target.#server.once('error', reject);
      target.#server.listen(port, address, resolve);
    });
    return target;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** HAProxy's proxy-protocol.txt, section 2.2: a proxied TCP connection over IPv4. */
export function proxyV2(source: string, sourcePort: number, to: string, toPort: number): Buffer {
  const header = Buffer.alloc(28);
  Buffer.from('\r\n\r\n\0\r\nQUIT\n').copy(header);
  // Version 2 and PROXY; TCP over IPv4; twelve bytes of addresses.
  header.set([0x21, 0x11, 0, 12], 12);
  header.set([...source.split('.'), ...to.split('.')].map(Number), 16);
  header.writeUInt16BE(sourcePort, 24);
  header.writeUInt16BE(toPort, 26);
  return header;
}
