import type { Moto } from './start-moto.ts';

/** Those that a test is done with, for the next one of this process. */
const kept: Moto[] = [];

/** One that is empty again; undefined: none is free. */
export async function takeMoto(): Promise<Moto | undefined> {
  for (let moto = kept.pop(); moto !== undefined; moto = kept.pop()) {
    if (await empty(moto)) return moto;
    await moto.daemon.stop('SIGKILL');
  }
  return undefined;
}

export function keepMoto(moto: Moto): void {
  kept.push(moto);
}

export async function stopKeptMotos(): Promise<void> {
  for (let moto = kept.pop(); moto !== undefined; moto = kept.pop()) await moto.daemon.stop('SIGKILL');
}

/** https://docs.getmoto.org/en/latest/docs/server_mode.html#reset-api */
async function empty({ port }: Moto): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${port}/moto-api/reset`, { method: 'POST' }).catch(
    () => undefined,
  );
  return answer?.ok === true;
}
