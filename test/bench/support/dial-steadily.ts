/**
 * Runs on a client. Makes new connections at an even rate, to one address after the other, until its input ends; prints what
 * became of them as JSON. `dial-steadily.ts <a second> <address:port>...`
 */
import { connect } from 'node:net';
import type { DialFigures } from './steady-dialer.ts';

/** Shorter than the second after which a client repeats a SYN that was lost. */
const GIVE_UP_MS = 900;

const [rate = '', ...targets] = process.argv.slice(2);
const figures: DialFigures = { made: 0, failed: [], slowestMs: 0 };
const startedAt = performance.now();
let open = 0;
let ended = false;

const timer = setInterval(() => {
  const due = Math.floor(((performance.now() - startedAt) * Number(rate)) / 1000);
  while (figures.made < due) dial(targets[figures.made % targets.length] ?? '');
}, 2);
process.stdin.on('end', () => {
  clearInterval(timer);
  ended = true;
  finish();
});
process.stdin.resume();
process.stdout.write('dialing\n');

/** A connection counts when the other side has said something. */
function dial(target: string): void {
  figures.made++;
  open++;
  const [host = '', port = ''] = target.split(':');
  const dialedAt = performance.now();
  const socket = connect({ host, port: Number(port) });
  const done = (failure: string | null) => {
    clearTimeout(deadline);
    socket.removeAllListeners().on('error', () => {});
    socket.destroy();
    if (failure !== null) figures.failed.push(`${target}: ${failure}`);
    else figures.slowestMs = Math.max(figures.slowestMs, performance.now() - dialedAt);
    open--;
    finish();
  };
  const deadline = setTimeout(() => done(`nothing within ${GIVE_UP_MS} ms`), GIVE_UP_MS);
  socket.once('error', (error) => done(error.message));
  socket.once('connect', () => socket.write('GET / HTTP/1.0\r\n\r\n'));
  socket.once('data', () => done(null));
  socket.once('close', () => done('closed without an answer'));
}

function finish(): void {
  if (!ended || open > 0) return;
  process.stdout.write(`${JSON.stringify(figures)}\n`, () => process.exit());
}
