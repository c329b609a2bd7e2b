import { createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { ControlReply, ControlRequest, ControlTold, LabMethod, LabMethods } from './protocol.ts';

export type Handlers = {
  [M in LabMethod]: (
    params: LabMethods[M]['params'],
    tell: (told: ControlTold) => void,
  ) => Promise<LabMethods[M]['result']>;
};

/** Serves a lab's methods on a unix socket. Network namespaces don't part unix sockets: the path is reached from outside. */
export function serveControl(path: string, handlers: Handlers): Server {
  const server = createServer((socket) => {
    // Who asked may be gone before the answer.
    socket.on('error', () => {});
    createInterface({ input: socket }).on('line', (line) => {
      const request: ControlRequest = JSON.parse(line);
      void answer(socket, handlers, request);
    });
  });
  server.listen(path);
  return server;
}

async function answer<M extends LabMethod>(
  socket: Socket,
  handlers: Handlers,
  request: { id: number; method: M; params: LabMethods[M]['params'] },
): Promise<void> {
  const { id, method, params } = request;
  const reply = (message: ControlReply) => socket.write(`${JSON.stringify(message)}\n`);
  try {
    const result = await handlers[method](params, (told) => reply({ id, told }));
    reply({ id, result });
  } catch (error) {
    reply({ id, error: error instanceof Error ? error.message : String(error) });
  }
}
