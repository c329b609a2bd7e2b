import { HealthLab } from './health-lab.ts';

let shared: Promise<HealthLab> | undefined;

/** One lab for all files that test health; ends with the mocha run. */
export function sharedLab(): Promise<HealthLab> {
  shared ??= HealthLab.start();
  return shared;
}

after('stop the health lab', async function () {
  this.timeout(60_000);
  const lab = await shared?.catch(() => undefined);
  await lab?.stop();
});
