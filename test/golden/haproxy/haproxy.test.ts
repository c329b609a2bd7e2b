import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import type { LoadBalancer } from '../../../crds/load-balancer.ts';
import type { LoadBalancerProviderSpec } from '../../../crds/load-balancer-provider.ts';
import { buildModel } from '../../../edge/build-model.ts';
import { renderConfig } from '../../../edge/render-config.ts';
import type { EndpointSlice, Node } from '../../../kube/objects.ts';
import { Authority } from '../../controlplane/certificates.ts';

/** `<case>.in.yaml` holds what an edge sees of the cluster; `<case>.out.cfg` what its HAProxy is given. */
interface Input {
  provider: LoadBalancerProviderSpec;
  user?: string;
  loadBalancers: LoadBalancer[];
  nodes?: Node[];
  slices?: EndpointSlice[];
  /** Secrets whose certificates are served, as `namespace/name`. */
  certificates?: string[];
}

const FOLDER = new URL('.', import.meta.url);
/** Of certificates, in what is compared. */
const CERTIFICATES = '/run/certificates';
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

    it(`${name}, taken by HAProxy itself`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'golden-'));
      try {
        const text = readFileSync(out, 'utf8').replaceAll(CERTIFICATES, folder);
        await writeCertificates(text, folder);
        const config = join(folder, 'haproxy.cfg');
        writeFileSync(config, text);
        const said = execFileSync('haproxy', ['-c', '-f', config], { encoding: 'utf8' });
        expect(said).to.include('Configuration file is valid');
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  }
});

/** Those that a configuration names. */
async function writeCertificates(config: string, folder: string): Promise<void> {
  const authority = await Authority.create('golden');
  for (const [, path = ''] of config.matchAll(/ crt (\S+)/g)) {
    expect(path).to.include(folder);
    const { cert, key } = await authority.issueServer('golden', ['golden.example']);
    writeFileSync(path, `${cert}\n${key}\n`);
  }
}

function render({
  certificates = [],
  loadBalancers,
  nodes = [],
  provider,
  slices = [],
  user,
}: Input): string {
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
    certificateOf: (secret) =>
      certificates.includes(secret)
        ? { file: `${secret.replace('/', '.')}.pem`, notAfter: undefined, fault: undefined }
        : undefined,
    loaded: new Map(),
    now: new Date(0),
  });
  return renderConfig(model, { user, tables: 'fairlead-golden', certificates: CERTIFICATES }).text;
}
