import { connect, type Socket } from 'node:net';

/** `failed`: nobody took it where it was to go. */
export type Ending = 'closed' | 'failed';

const LONGEST_CONNECT_MS = 30_000;

/**
 * Connects a client on to where `host` and `port` are, and passes on bytes, ends of either direction by itself, and resets.
 * What one side doesn't read the other can't send. `client` must allow half-open. Resolves when both sides are closed.
 */
export async function joinSockets(client: Socket, host: string, port: number): Promise<Ending> {
  const server = connect({ host, port, allowHalfOpen: true, noDelay: true });
  client.setNoDelay(true);
  const deadline = setTimeout(() => server.destroy(new Error('no answer')), LONGEST_CONNECT_MS);
  let ending: Ending = 'failed';
  server.once('connect', () => {
    clearTimeout(deadline);
    ending = 'closed';
  });
  const follow = (from: Socket, to: Socket) =>
    new Promise<void>((resolve) => {
      from.pipe(to);
      from.on('error', () => to.resetAndDestroy());
      from.once('close', () => {
        // Closed without an end: the other side must not wait for one.
        if (!from.readableEnded) to.destroy();
        resolve();
      });
    });
  await Promise.all([follow(client, server), follow(server, client)]);
  clearTimeout(deadline);
  return ending;
}
