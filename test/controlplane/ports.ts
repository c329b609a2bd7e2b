import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below the node ports and below the kernel's ephemeral ports: a stopped API server's port must not be taken by some
 * outgoing connection before it starts again.
 */
const FIRST = 20_000;
const LAST = 29_999;
const ATTEMPTS = 100;

/** A port that is free now on `address`; random, so that runs side by side rarely meet. */
export async function freePort(address: string): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const port = randomInt(FIRST, LAST + 1);
    if (await canListen(address, port)) return port;
  }
  throw new Error(`no free port between ${FIRST} and ${LAST} on ${address}`);
}

async function canListen(address: string, port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, address);
    await once(server, 'listening');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return false;
    throw error;
  }
  server.close();
  await once(server, 'close');
  return true;
}
