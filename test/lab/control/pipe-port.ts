import { type AddressInfo, connect, createServer, type NetConnectOpts, type Server } from 'node:net';
import { pipeline } from 'node:stream';

/** Passes each connection to `listen` on to `to`, both of TCP or of a unix socket. Resolves once it listens. */
export function pipePort(
  listen: { path: string } | { host: string; port: number },
  to: NetConnectOpts,
): Promise<Server> {
  const server = createServer((incoming) => {
    const outgoing = connect(to);
    pipeline(incoming, outgoing, () => outgoing.destroy());
    pipeline(outgoing, incoming, () => incoming.destroy());
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(listen, () => resolve(server));
  });
}

/** The TCP port that a server got. */
export function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('not a TCP server');
  return address.port;
}
