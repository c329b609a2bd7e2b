import { fileURLToPath } from 'node:url';
import { runOrThrow } from '../../kube/run-command.ts';

const SCRIPT = fileURLToPath(new URL('./try-binds.pl', import.meta.url));

export interface Place {
  address: string;
  port: number;
}

/** By `address port`: why a place can't be listened at. */
export async function tryBinds(places: readonly Place[]): Promise<Map<string, string>> {
  if (places.length === 0) return new Map();
  const input = places.map((place) => `${placeName(place)}\n`).join('');
  const output = await runOrThrow('perl', [SCRIPT], { input });
  return new Map(
    output
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [address = '', port = '', ...reason] = line.split(' ');
        return [`${address} ${port}`, reason.join(' ')];
      }),
  );
}

export function placeName({ address, port }: Place): string {
  return `${address} ${port}`;
}
