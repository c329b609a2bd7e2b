import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** Listens at an address that the machine needn't have, as another proxy may, without sharing the port. */
const SCRIPT = `
use strict; use Socket qw(:all);
my ($address, $port) = @ARGV;
socket(my $s, AF_INET, SOCK_STREAM, 0) or die $!;
setsockopt($s, IPPROTO_IP, 15, 1) or die $!;
bind($s, pack_sockaddr_in($port, inet_aton($address))) or die $!;
listen($s, 5) or die $!;
$| = 1; print "listening\\n"; sleep;
`;

/** A process in a network namespace that has a port. */
export class Listener {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(netns: string, address: string, port: number): Promise<Listener> {
    const args = ['netns', 'exec', netns, 'perl', '-e', SCRIPT, address, String(port)];
    const child = spawn('ip', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    if (child.stdout === null) throw new Error('the listener has no output');
    await Promise.race([
      once(child.stdout, 'data'),
      once(child, 'exit').then(() => Promise.reject(new Error('the listener ended'))),
    ]);
    return new Listener(child);
  }

  async end(signal: 'SIGKILL'): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill(signal);
    await ended;
  }
}
