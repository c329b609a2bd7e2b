import { get } from 'node:http';
import { connect } from 'node:net';
import type { Container, Probe } from './pod.ts';

/** The number behind a probe's port, which may be the name of one of the container's. */
export function portOf(container: Container, port: number | string): number | undefined {
  if (typeof port === 'number') return port;
  return container.ports?.find((candidate) => candidate.name === port)?.containerPort;
}

/** One probe of a container at `address`: whether it is well, within the probe's time-out. Never rejects. */
export function runProbe(container: Container, probe: Probe, address: string): Promise<boolean> {
  const timeout = (probe.timeoutSeconds ?? 1) * 1000;
  const { httpGet, tcpSocket } = probe;
  const port = portOf(container, httpGet?.port ?? tcpSocket?.port ?? 0);
  if (port === undefined || (!httpGet && !tcpSocket)) return Promise.resolve(false);
  return new Promise((resolve) => {
    if (httpGet) {
      const options = { host: address, port, path: httpGet.path ?? '/', agent: false, timeout };
      const request = get(options, (response) => {
        response.resume();
        const status = response.statusCode ?? 0;
        resolve(status >= 200 && status < 400);
      });
      request.on('timeout', () => request.destroy());
      request.on('error', () => resolve(false));
      request.on('close', () => resolve(false));
    } else {
      const socket = connect({ host: address, port, timeout });
      const settle = (well: boolean) => {
        socket.destroy();
        resolve(well);
      };
      socket.on('connect', () => settle(true));
      socket.on('timeout', () => settle(false));
      socket.on('error', () => settle(false));
    }
  });
}
