/**
 * The container image of the lab, whatever a Pod's manifest names: one process in the Pod's network namespace that
 * answers HTTP, plain TCP (each piece of data that doesn't begin as HTTP) and UDP on the ports that `$ECHO_CONFIG` lists.
 *
 * On SIGTERM it goes on serving, new connections too, until nobody has come for a second and none is open: endpoints
 * take a moment to leave every node. The grace period's SIGKILL is the end that it doesn't choose.
 */
import { createSocket } from 'node:dgram';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Socket } from 'node:net';
import type { EchoConfig, Listener } from './echo-config.ts';
import { answerHttp, type EchoAnswer, hostPort } from './echo-http.ts';
import { EchoState } from './echo-state.ts';

const QUIET_BEFORE_EXIT_MS = 1_000;
const HTTP_START = /^(GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH) /;

const config: EchoConfig = JSON.parse(process.env.ECHO_CONFIG ?? '');
const state = new EchoState();
const sockets = new Set<Socket>();
let lastArrival = performance.now();

const http = createHttpServer((request, response) => answerHttp(config, state, request, response));

function answer(protocol: 'TCP' | 'UDP', client: string, server: string, request: string): string {
  const said: EchoAnswer = { pod: config.pod, node: config.node, client, server, protocol, request };
  return `${JSON.stringify(said)}\n`;
}

function accept(socket: Socket): void {
  lastArrival = performance.now();
  if (state.broken) {
    socket.resetAndDestroy();
    return;
  }
  sockets.add(socket);
  socket.on('close', () => sockets.delete(socket));
  // A caller that goes away without a goodbye is no matter of ours.
  socket.on('error', () => socket.destroy());
  socket.once('data', (first) => {
    socket.pause();
    if (HTTP_START.test(first.toString('latin1'))) {
      socket.unshift(first);
      http.emit('connection', socket);
    } else {
      const client = hostPort(socket.remoteAddress, socket.remotePort);
      const server = hostPort(socket.localAddress, socket.localPort);
      const echo = (data: Buffer) => socket.write(answer('TCP', client, server, data.toString().trimEnd()));
      echo(first);
      socket.on('data', echo);
    }
    socket.resume();
  });
}

function listenUdp(port: number): void {
  const socket = createSocket({ type: 'udp6' });
  socket.on('message', (message, from) => {
    lastArrival = performance.now();
    if (state.broken) return;
    const request = message.toString().trimEnd();
    const client = hostPort(from.address, from.port);
    // agnhost's words first, then our own answer.
    const echoed = /^echo (.*)$/s.exec(request)?.[1];
    const reply =
      request === 'hostname'
        ? config.pod
        : request === 'clientip'
          ? client
          : (echoed ?? answer('UDP', client, hostPort('', port), request));
    socket.send(reply, from.port, from.address);
  });
  socket.bind(port);
}

function listen({ protocol, port }: Listener): void {
  if (protocol === 'UDP') listenUdp(port);
  else createServer(accept).listen(port);
}

function leaveWhenQuiet(): void {
  if (state.terminating) return;
  state.terminating = true;
  setInterval(() => {
    http.closeIdleConnections();
    const quiet = performance.now() - lastArrival > QUIET_BEFORE_EXIT_MS;
    if (quiet && sockets.size === 0) process.exit(0);
  }, 50);
}

lastArrival = performance.now();
process.on('SIGTERM', () => {
  lastArrival = performance.now();
  leaveWhenQuiet();
});
config.listeners.forEach(listen);
