import { connect } from 'node:net';
import type { Dial } from './station-protocol.ts';

/** Sends so many bytes to a station, and counts those of its greeting and echo that come back in time. */
export function exchange({ address, port, source, timeoutMs = 5_000 }: Dial, bytes: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: address,
      port,
      ...(source === undefined ? {} : { localAddress: source }),
    });
    let received = 0;
    let greeted = false;
    const end = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(received);
    };
    const timer = setTimeout(end, timeoutMs);
    socket.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    socket.on('data', (data) => {
      if (!greeted) {
        greeted = true;
        received += data.length - (data.indexOf('\n') + 1);
        socket.write(Buffer.alloc(bytes, 'x'));
      } else received += data.length;
      if (received >= bytes) end();
    });
  });
}
