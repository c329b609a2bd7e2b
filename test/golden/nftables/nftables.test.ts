import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { parse } from 'yaml';
import { isOfService } from '../../../agent/nftables/collect-vips.ts';
import { Committer } from '../../../agent/nftables/committer.ts';
import { compileService } from '../../../agent/nftables/compile-service.ts';
import { RuleBook } from '../../../agent/nftables/rule-book.ts';
import type { NodeContext } from '../../../agent/node-context.ts';
import type { LoadBalancer } from '../../../crds/load-balancer.ts';
import { silentLogger } from '../../../kube/log.ts';
import type { EndpointSlice, Service } from '../../../kube/objects.ts';

/** `<case>.in.yaml` holds the cluster in one or more steps; `<case>.out.nft` what nft is given at each. */
interface Input {
  nodeName: string;
  clusterCidrs: string[];
  serviceCidrs: string[];
  nodeAddresses: string[];
  zone?: string;
  serve?: NodeContext['serve'];
  steps: { services: Service[]; slices: EndpointSlice[]; loadBalancers?: LoadBalancer[] }[];
}

const FOLDER = new URL('.', import.meta.url);

describe('golden: what nft is given', () => {
  for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.in.yaml'))) {
    const name = file.slice(0, -'.in.yaml'.length);
    it(name, async () => {
      const input: Input = parse(readFileSync(new URL(file, FOLDER), 'utf8'), { merge: true });
      const out = new URL(`${name}.out.nft`, FOLDER);
      const text = await render(input);
      if (process.env.UPDATE_GOLDEN) writeFileSync(out, text);
      expect(text).to.equal(readFileSync(out, 'utf8'));
    });
  }
});

async function render(input: Input): Promise<string> {
  const book = new RuleBook();
  const given: string[] = [];
  const committer = new Committer({
    book,
    nft: async ({ input: text = '' }) => {
      given.push(text);
      return '';
    },
    table: { clusterCidrs: input.clusterCidrs, serviceCidrs: input.serviceCidrs, markBit: 0x2000 },
    log: silentLogger,
  });
  book.put(
    { key: '', since: '' },
    input.nodeAddresses.map((key) => ({
      family: key.includes(':') ? 'ip6' : 'ip',
      place: 'nodeport-ips',
      key,
    })),
  );
  let known: string[] = [];
  const texts: string[] = [];
  for (const [index, step] of input.steps.entries()) {
    given.length = 0;
    const keys = step.services.map(({ metadata }) => metadata.name);
    for (const key of known) if (!keys.includes(key)) book.remove(key);
    for (const service of step.services) put(book, service, step, contextOf(input));
    known = keys;
    while (committer.isDue) await committer.commit();
    texts.push(`# step ${index + 1}\n${given.join('# another transaction\n')}`);
  }
  return texts.join('\n');
}

function put(book: RuleBook, service: Service, step: Input['steps'][number], node: NodeContext): void {
  const { name, creationTimestamp = '' } = service.metadata;
  const slices = step.slices.filter(
    ({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === name,
  );
  const loadBalancers = (step.loadBalancers ?? []).filter((each) => isOfService(each, service));
  const { entries } = compileService({ service, slices, loadBalancers }, node);
  book.put({ key: name, since: creationTimestamp }, entries);
}

function contextOf({ nodeName, zone, nodeAddresses: addresses, serve = 'All' }: Input): NodeContext {
  const externalIps = ['0.0.0.0/0', '::/0'].map((cidr) => ({ namespace: '*', cidr }));
  return { nodeName, zone, addresses, serve, externalIps };
}
