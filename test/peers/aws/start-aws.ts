import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AwsPeer, type AwsPeerOptions } from './aws-peer.ts';
import { startMoto } from './start-moto.ts';

/** An AWS of its own, with nothing in it, bound to this process: moto never outlives it. `stop` ends both. */
export async function startAws(options: AwsPeerOptions = {}): Promise<AwsPeer> {
  const dir = await mkdtemp(join(tmpdir(), 'fairlead-aws-'));
  try {
    const moto = await startMoto(dir);
    const peer = new AwsPeer(moto.port, options, async () => {
      await moto.daemon.stop('SIGKILL');
      await rm(dir, { recursive: true, force: true });
    });
    await peer.listen(options.address ?? '127.0.0.1');
    return peer;
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
}
