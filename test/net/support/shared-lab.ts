import { ForwardingLab } from './forwarding-lab.ts';

let shared: Promise<ForwardingLab> | undefined;

/** One lab for all files that test forwarding; ends with the mocha run. */
export function sharedLab(): Promise<ForwardingLab> {
  shared ??= ForwardingLab.start();
  return shared;
}

after('stop the forwarding lab', async () => {
  const lab = await shared?.catch(() => undefined);
  await lab?.stop();
});
