import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { parse } from 'yaml';
import { loadBalancerProviderSpecSchema } from '../../../crds/load-balancer-provider.ts';
import type { Service } from '../../../kube/objects.ts';
import { buildLoadBalancer, type PortClaim } from '../../../operator/plan/build-load-balancer.ts';
import { readAnnotations } from '../../../operator/plan/read-annotations.ts';
import { buildModel } from '../../../providers/bigip/build/build-model.ts';
import { perApplicationBody, wholeTenantBody } from '../../../providers/bigip/calls/as3.ts';
import { familyOf } from '../../../providers/bigip/names.ts';
import type { DesiredLoadBalancer, TargetNode, TargetPod } from '../../../providers/provider.ts';
import { findF5Schema, IS_F5_SCHEMA_HERE } from '../../peers/bigip/as3/f5-schema.ts';

/** `<case>.in.yaml` holds a provider and Services; `<case>.out.json` the model of each, with its AS3 application. */
interface Input {
  provider: { spec: unknown };
  services: (Service & { addresses: string[]; forwardingPorts?: Record<string, number> })[];
  nodes?: TargetNode[];
  pods?: TargetPod[];
}

const FOLDER = new URL('.', import.meta.url);
const SCHEMA_VERSION = '3.56.0';
const whether = IS_F5_SCHEMA_HERE ? "taken by F5's schema" : "(F5's schema isn't here: not compared with it)";

describe('golden: what a Service becomes on a BIG-IP', function () {
  // Compiling F5's schema takes seconds.
  this.timeout(60_000);

  if (IS_F5_SCHEMA_HERE) {
    it("has F5's schema refuse what it must", () => {
      const schema = findF5Schema();
      const application = { class: 'Application', tcp: { class: 'Service_L4', virtualPort: 'eighty' } };
      const alone = schema?.checkPerApp({ schemaVersion: SCHEMA_VERSION, application });
      expect(alone?.join()).to.include('/application/tcp');
      const whole = { class: 'ADC', schemaVersion: SCHEMA_VERSION, tenant: { class: 'Tenant', application } };
      expect(schema?.checkAdc(whole).join()).to.include('/tenant/application/tcp');
    });
  }

  for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.in.yaml'))) {
    const name = file.slice(0, -'.in.yaml'.length);
    it(`${name}, ${whether}`, () => {
      const input: Input = parse(readFileSync(new URL(file, FOLDER), 'utf8'), { merge: true });
      const models = render(input);
      const out = new URL(`${name}.out.json`, FOLDER);
      const text = `${JSON.stringify(models, undefined, 2)}\n`;
      if (process.env.UPDATE_GOLDEN) writeFileSync(out, text);
      expect(text).to.equal(readFileSync(out, 'utf8'));
      const schema = findF5Schema();
      for (const { application, declaration, tenant } of models) {
        const alone = perApplicationBody(application, declaration, SCHEMA_VERSION);
        expect(schema?.checkPerApp(alone) ?? []).to.deep.equal([]);
        const whole = wholeTenantBody(tenant, { [application]: declaration }, SCHEMA_VERSION);
        expect(schema?.checkAdc(whole) ?? []).to.deep.equal([]);
      }
    });
  }
});

function render({ nodes = [], pods = [], provider, services }: Input) {
  const spec = loadBalancerProviderSpecSchema.parse(provider.spec);
  return services.map((service, index) => {
    const uid = `uid-${index + 1}`;
    const { addresses, forwardingPorts = {} } = service;
    const { metadata, spec: loadBalancer } = buildLoadBalancer({
      service: { ...service, metadata: { ...service.metadata, namespace: 'default', uid } },
      provider: {
        apiVersion: 'fairlead.dev/v1alpha1',
        kind: 'LoadBalancerProvider',
        metadata: { name: 'f5' },
        spec,
      },
      providerType: 'bigip',
      wishes: readAnnotations(service).wishes,
      addresses: addresses.map((address) => ({ address, family: familyOf(address), pool: 'office' })),
      ports: claimsOf(forwardingPorts),
    });
    const isPods = loadBalancer.targets.mode === 'Pod';
    const desired: DesiredLoadBalancer = {
      id: { clusterId: '8a7b6c5d-1111', namespace: 'default', name: metadata.name, serviceUid: uid },
      provider: { name: 'f5', spec },
      spec: loadBalancer,
      nodes: isPods ? [] : nodes,
      pods: isPods ? pods : [],
      sharedWith: [],
    };
    return buildModel(desired);
  });
}

function claimsOf(ports: Readonly<Record<string, number>>): PortClaim[] {
  return Object.entries(ports).map(([key, forwardingPort]) => {
    const [protocol, port] = key.split('/');
    if (protocol !== 'TCP' && protocol !== 'UDP') throw new Error(`no protocol: ${key}`);
    return { protocol, port: Number(port), forwardingPort, pool: 'forwarding' };
  });
}
