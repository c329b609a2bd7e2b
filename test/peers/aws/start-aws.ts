import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildIamPolicy } from '../../../providers/aws/docs/iam-policy.ts';
import { AwsPeer, type AwsPeerOptions } from './aws-peer.ts';
import { keepMoto, takeMoto } from './kept-motos.ts';
import { noteGranted } from './rights/granted.ts';
import { startMoto } from './start-moto.ts';

export interface StartOptions extends AwsPeerOptions {
  /** For moto's log; kept. @default thrown away once moto answers */
  logDir?: string;
  /** Whether moto may be one that a test before had, emptied, and is left to the next one: see `stopKeptMotos`. */
  reuse?: boolean;
}

/**
 * An AWS of its own, with nothing in it, bound to this process: moto never outlives it. The peer's `stop` ends both. Whoever
 * calls its endpoint may do what Fairlead's IAM policy allows, unless the options name another policy.
 */
export async function startAws(options: StartOptions = {}): Promise<AwsPeer> {
  const rights = {
    policy: options.policy ?? buildIamPolicy(),
    ...(options.policy === undefined && { granted: noteGranted }),
  };
  const dir = options.logDir ?? (await mkdtemp(join(tmpdir(), 'fairlead-aws-')));
  try {
    const { reuse = false } = options;
    const moto = (reuse ? await takeMoto() : undefined) ?? (await startMoto(dir));
    const end = async () => (reuse ? keepMoto(moto) : await moto.daemon.stop('SIGKILL'));
    const peer = new AwsPeer(moto.port, { ...options, ...rights }, end);
    await peer.listen(options.address ?? '127.0.0.1');
    return peer;
  } finally {
    // Its file stays open in moto: nothing is left behind, however this process ends.
    if (options.logDir === undefined) await rm(dir, { recursive: true, force: true });
  }
}
