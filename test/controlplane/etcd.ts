import { join } from 'node:path';
import { Daemon } from './daemon.ts';
import { freePort } from './ports.ts';

export interface EtcdOptions {
  binary: string;
  dir: string;
  /** Whether each write reaches the disk before it is answered. Tests throw the data away and don't need that. */
  fsync: boolean;
}

export interface Etcd {
  daemon: Daemon;
  /** Plain HTTP, loopback only. */
  url: string;
}

const HOST = '127.0.0.1';
const READY_MS = 30_000;

/** One etcd of its own on the loopback address. */
export async function startEtcd(options: EtcdOptions): Promise<Etcd> {
  const url = `http://${HOST}:${await freePort(HOST)}`;
  const peerUrl = `http://${HOST}:${await freePort(HOST)}`;
  const daemon = new Daemon({
    name: 'etcd',
    command: options.binary,
    args: [
      `--data-dir=${etcdDataDir(options.dir)}`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=default=${peerUrl}`,
      '--log-level=warn',
      ...(options.fsync ? [] : ['--unsafe-no-fsync']),
    ],
    logFile: join(options.dir, 'etcd.log'),
  });
  await daemon.untilReady(async () => (await fetch(`${url}/readyz`)).ok, READY_MS);
  return { daemon, url };
}

export function etcdDataDir(dir: string): string {
  return join(dir, 'etcd');
}
