import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { parse } from 'yaml';
import type { LoadBalancer } from '../../../crds/load-balancer.ts';
import type { LoadBalancerProviderSpec } from '../../../crds/load-balancer-provider.ts';
import { buildModel } from '../../../edge/build-model.ts';
import { renderConfig } from '../../../edge/render-config.ts';
import type { EndpointSlice, Node } from '../../../kube/objects.ts';

/** `<case>.in.yaml` holds what an edge sees of the cluster; `<case>.out.cfg` what its HAProxy is given. */
interface Input {
  provider: LoadBalancerProviderSpec;
  user?: string;
  loadBalancers: LoadBalancer[];
  nodes?: Node[];
  slices?: EndpointSlice[];
}

const FOLDER = new URL('.', import.meta.url);
const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';

describe('golden: what HAProxy is given', () => {
  for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.in.yaml'))) {
    const name = file.slice(0, -'.in.yaml'.length);
    const out = new URL(`${name}.out.cfg`, FOLDER);

    it(name, () => {
      const input: Input = parse(readFileSync(new URL(file, FOLDER), 'utf8'), { merge: true });
      const text = render(input);
      if (process.env.UPDATE_GOLDEN) writeFileSync(out, text);
      expect(text).to.equal(readFileSync(out, 'utf8'));
    });

    it(`${name}, taken by HAProxy itself`, () => {
      const said = execFileSync('haproxy', ['-c', '-f', out.pathname], { encoding: 'utf8' });
      expect(said).to.include('Configuration file is valid');
    });
  }
});

function render({ loadBalancers, nodes = [], provider, slices = [], user }: Input): string {
  const model = buildModel({
    provider,
    loadBalancers,
    nodes,
    slicesOf: ({ metadata, spec }) =>
      slices.filter(
        (slice) =>
          slice.metadata.namespace === metadata.namespace &&
          slice.metadata.labels?.[SERVICE_NAME_LABEL] === spec.service.name,
      ),
  });
  return renderConfig(model, { user, tables: 'fairlead-golden' }).text;
}
