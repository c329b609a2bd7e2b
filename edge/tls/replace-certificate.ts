import { askMaster, askWorker } from '../haproxy/master-socket.ts';

/** A buffer of HAProxy's (tune.bufsize), less what goes before the text in it. */
const LONGEST_TEXT = 15_000;

/** Whether HAProxy takes it at run time; a larger one has to be in a file that it reads when it begins. */
export function fitsCommand(pem: string): boolean {
  return pem.length <= LONGEST_TEXT;
}

export type Replaced =
  | { kind: 'Replaced' }
  /** The worker hasn't that file. */
  | { kind: 'NotLoaded' }
  /** No HAProxy runs, or it begins just now. */
  | { kind: 'NobodyThere' }
  /** It goes on with what it had. */
  | { kind: 'Refused'; message: string };

/**
 * Gives the worker that runs another certificate in the place of that of a file, with no reload: connections that are open go on.
 * The file itself isn't written. Rejects when HAProxy is there and doesn't answer.
 */
export async function replaceCertificate(socket: string, path: string, pem: string): Promise<Replaced> {
  const listed = await list(socket);
  if (listed === undefined) return { kind: 'NobodyThere' };
  // Of somebody who was cut off: HAProxy has one transaction at a time, and would put this text into that one's place.
  for (const [, begun = ''] of listed.matchAll(/^\*(\S+)$/gm)) await abort(socket, begun);
  if (!listed.split('\n').includes(path)) return { kind: 'NotLoaded' };
  // An empty line ends the text.
  const set = await askMaster(socket, `@1 set ssl cert ${path} <<\n${pem.trim()}\n`);
  if (!set.includes('Transaction created')) return await refuse(socket, path, set);
  const committed = await askWorker(socket, `commit ssl cert ${path}`);
  return committed.includes('Success!')
    ? { kind: 'Replaced' }
    : await refuse(socket, path, committed.replace(/^Committing .*$/m, '').replace('Failed!', ''));
}

/** undefined: nobody is there. */
async function list(socket: string): Promise<string | undefined> {
  try {
    const listed = await askWorker(socket, 'show ssl cert');
    // Nothing at all: it has none.
    if (listed.includes('# filename') || listed.trim() === '') return listed;
    throw new Error(`HAProxy doesn't say which certificates it has, but ${listed.trim().slice(0, 200)}`);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return undefined;
    throw error;
  }
}

async function refuse(socket: string, path: string, said: string): Promise<Replaced> {
  await abort(socket, path);
  return { kind: 'Refused', message: said.replaceAll(/\s+/g, ' ').trim().slice(0, 500) };
}

async function abort(socket: string, path: string): Promise<void> {
  await askWorker(socket, `abort ssl cert ${path}`);
}
