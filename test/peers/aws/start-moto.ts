import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Daemon } from '../../controlplane/daemon.ts';
import { freePort } from '../../controlplane/ports.ts';
import { findPython } from './python-environment.ts';

export interface Moto {
  daemon: Daemon;
  port: number;
}

const SERVER = fileURLToPath(new URL('serve-moto.py', import.meta.url));
const HOST = '127.0.0.1';
const READY_MS = 60_000;

/** moto's server on the loopback address, with nothing in it. */
export async function startMoto(dir: string): Promise<Moto> {
  const python = await findPython();
  const port = await freePort(HOST);
  const daemon = new Daemon({
    name: 'moto',
    command: python,
    args: [SERVER, '-H', HOST, '-p', String(port)],
    logFile: join(dir, 'moto.log'),
  });
  const ready = async () => (await fetch(`http://${HOST}:${port}/moto-api/`)).ok;
  try {
    await daemon.untilReady(ready, READY_MS);
  } catch (error) {
    await daemon.stop('SIGKILL');
    throw error;
  }
  return { daemon, port };
}
