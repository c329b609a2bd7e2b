import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { boundCommand } from '../../controlplane/bound-command.ts';

const PROGRAM = fileURLToPath(new URL('watch-packets.pl', import.meta.url));
/** Packets are handed over in order, but not at once. */
const LAST_PACKETS_MS = 20;

export interface PacketWatch {
  /** Resolves with a line for each packet, as watch-packets.pl prints them. */
  end(): Promise<string[]>;
}

/** Watches every interface of this namespace for an address and port (0: any). */
export async function startWatch(address: string, port: number): Promise<PacketWatch> {
  const [command, args] = boundCommand('perl', [PROGRAM, address, String(port)]);
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  const reader = createInterface(child.stdout);
  const [first] = await Promise.race([once(reader, 'line'), once(child, 'exit')]);
  if (first !== 'ready') throw new Error('the packet watch ended at its start');
  reader.on('line', (line) => lines.push(line));
  return {
    async end() {
      await sleep(LAST_PACKETS_MS);
      const ended = once(child, 'close');
      child.kill('SIGTERM');
      await ended;
      return lines;
    },
  };
}
