import { createInformer } from '../../../kube/informer.ts';
import { silentLogger } from '../../../kube/log.ts';
import { SERVICES } from '../../../kube/resources.ts';
import type { Lab } from '../../lab/lab.ts';
import { sleep } from '../../support/eventually.ts';
import { type Addresses, addressesOf, untilServed, webService } from './web.ts';

const ATTEMPT_EVERY_MS = 25;

/**
 * Makes Services before the pods of `deployWeb`, one `pauseMs` after the other is served. Answers the milliseconds from when a watch shows an
 * address in the status until it answers outside, for each address of each Service, sorted.
 */
export async function measureFirstAnswers(
  lab: Lab,
  namespace: string,
  names: readonly string[],
  pauseMs = 0,
): Promise<number[]> {
  const seen = new Map<string, Promise<number[]>>();
  const informer = createInformer(lab.api, SERVICES, { log: silentLogger, namespace });
  informer.store.onChange(({ key, object }) => {
    const addresses = addressesOf(object.status?.loadBalancer?.ingress);
    if (addresses && !seen.has(key)) seen.set(key, untilAnswers(lab, addresses));
  });
  informer.start();
  await informer.synced;
  try {
    for (const name of names) {
      await lab.api.create(SERVICES, webService(namespace, name));
      await untilServed(lab, namespace, name);
      await sleep(pauseMs);
    }
  } finally {
    await informer.stop();
  }
  for (const name of names) await lab.api.delete(SERVICES, namespace, name);
  const times = names.map(
    (name) => seen.get(`${namespace}/${name}`) ?? Promise.reject(new Error(`no ${name}`)),
  );
  return (await Promise.all(times)).flat().toSorted((one, other) => one - other);
}

/**
 * Milliseconds from now until each address has answered one of the connections that are tried every 25 ms. Not one
 * after the other: a SYN that came too early is sent again only after a second, which would be all that is measured.
 */
function untilAnswers(lab: Lab, { v4, v6 }: Addresses): Promise<number[]> {
  const startedAt = performance.now();
  const until = (host: string) =>
    new Promise<number>((resolve) => {
      const attempt = async () => {
        const { ok } = await lab.client.request({ url: `http://${host}/hostname`, timeoutMs: 5_000 });
        if (!ok) return;
        clearInterval(timer);
        resolve(performance.now() - startedAt);
      };
      const timer = setInterval(() => void attempt(), ATTEMPT_EVERY_MS).unref();
      void attempt();
    });
  return Promise.all([until(v4), until(`[${v6}]`)]);
}
