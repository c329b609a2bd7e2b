/**
 * Runs on the node. Dials addresses over and over, and prints a line once all of them took a connection.
 * `dial-until-served.ts <port> <address>...`
 */
import { connect } from 'node:net';

const EVERY_MS = 10;
const GIVE_UP_MS = 500;

const [port = '', ...addresses] = process.argv.slice(2);
const unserved = new Set(addresses);
const timer = setInterval(() => {
  for (const address of unserved) dial(address);
}, EVERY_MS);
process.stdout.write('dialing\n');

function dial(address: string): void {
  const socket = connect({ host: address, port: Number(port) });
  socket.setTimeout(GIVE_UP_MS, () => socket.destroy());
  socket.on('error', () => {});
  socket.once('connect', () => {
    socket.destroy();
    unserved.delete(address);
    if (unserved.size > 0) return;
    clearInterval(timer);
    process.stdout.write('served\n');
    process.exit();
  });
}
