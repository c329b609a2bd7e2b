import { type Lab, startLab } from '../../lab/lab.ts';

/** Gone with the namespaces unless $LAB_LOGS names a folder that stays. */
const LOG_DIR = process.env.LAB_LOGS ?? '/run/fairlead-lab/logs';
const START_MS = 120_000;

let starting: Promise<Lab> | undefined;

async function startWithSamples(): Promise<Lab> {
  const lab = await startLab({ logDir: LOG_DIR });
  await lab.kubectl(['apply', '-f', 'config/samples/provider.yaml', '-f', 'config/samples/pool.yaml']);
  return lab;
}

/** One lab for the whole run, with the samples' provider and pool. To be called in a `before` hook. */
export async function sharedLab(context: Mocha.Context): Promise<Lab> {
  context.timeout(START_MS);
  starting ??= startWithSamples();
  return await starting;
}

after('stop the lab', async function () {
  this.timeout(30_000);
  await (await starting?.catch(() => undefined))?.stop();
});
