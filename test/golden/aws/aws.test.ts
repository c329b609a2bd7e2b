import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { parse } from 'yaml';
import { loadBalancerProviderSpecSchema } from '../../../crds/load-balancer-provider.ts';
import type { Service } from '../../../kube/objects.ts';
import { buildLoadBalancer } from '../../../operator/plan/build-load-balancer.ts';
import { readAnnotations as readWishes } from '../../../operator/plan/read-annotations.ts';
import { buildModel } from '../../../providers/aws/build/build-model.ts';
import { readAnnotations } from '../../../providers/aws/options/read-annotations.ts';
import type { DesiredLoadBalancer, TargetNode, TargetPod } from '../../../providers/provider.ts';

/**
 * `<case>.in.yaml` holds a provider and Services, oldest first; `<case>.out.json` the model of each, with all that is said of
 * its annotations. Services of one `fairlead.dev/shared-address` share.
 */
interface Input {
  provider: { spec: unknown };
  services: Service[];
  nodes?: TargetNode[];
  pods?: TargetPod[];
}

const FOLDER = new URL('.', import.meta.url);

describe('golden: what a Service becomes at AWS', () => {
  for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.in.yaml'))) {
    const name = file.slice(0, -'.in.yaml'.length);
    it(name, () => {
      const input: Input = parse(readFileSync(new URL(file, FOLDER), 'utf8'), { merge: true });
      const out = new URL(`${name}.out.json`, FOLDER);
      const text = `${JSON.stringify(render(input), undefined, 2)}\n`;
      if (process.env.UPDATE_GOLDEN) writeFileSync(out, text);
      expect(text).to.equal(readFileSync(out, 'utf8'));
    });
  }
});

function render({ nodes = [], pods = [], provider, services }: Input) {
  const spec = loadBalancerProviderSpecSchema.parse(provider.spec);
  const decided = services.map((service) => decide(service, spec));
  return decided.map(({ id, invalid, ignored, loadBalancer }) => {
    const { sharedAddress, targets } = loadBalancer.spec;
    const sharedWith =
      sharedAddress === undefined ? [] : decided.filter((each) => shares(each, sharedAddress));
    const desired: DesiredLoadBalancer = {
      id,
      provider: { name: 'nlb', spec },
      ...(sharedAddress === undefined ? {} : { sharedAddress }),
      spec: loadBalancer.spec,
      nodes: targets.mode === 'Pod' ? [] : nodes,
      pods: targets.mode === 'Pod' ? pods : [],
      sharedWith: sharedWith.map((each) => ({ id: each.id, spec: each.loadBalancer.spec })),
    };
    return { service: id.name, invalid, ignored, model: buildModel(desired) };
  });
}

function shares({ loadBalancer }: ReturnType<typeof decide>, key: string): boolean {
  return loadBalancer.spec.sharedAddress === key;
}

/** As the operator does it. */
function decide(service: Service, spec: DesiredLoadBalancer['provider']['spec']) {
  const { name, namespace = 'shop' } = service.metadata;
  const metadata = { ...service.metadata, namespace, uid: `uid-${name}` };
  const reading = readAnnotations(metadata.annotations ?? {}, spec);
  const { wishes } = readWishes({ metadata });
  const loadBalancer = buildLoadBalancer({
    service: { ...service, metadata },
    provider: { metadata: { name: 'nlb' }, spec },
    providerType: 'aws',
    wishes,
    addresses: [],
    ports: [],
    reading,
  });
  const id = { clusterId: 'c-1', namespace, name: loadBalancer.metadata.name, serviceUid: metadata.uid };
  const { ignored, invalid } = reading;
  return { id, loadBalancer, invalid, ignored };
}
