import { X509Certificate } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { SECRETS } from '../../../kube/resources.ts';
import { eventually } from '../../support/eventually.ts';
import { run } from '../support/run.ts';
import {
  askEncrypted,
  makeCertificate,
  openEncrypted,
  shownTo,
  type TlsData,
} from './support/certificates.ts';
import { EdgeLab } from './support/edge-lab.ts';
import { ask } from './support/traffic.ts';

const SAMPLE = fileURLToPath(
  new URL('../../../config/samples/haproxy/read-certificate.yaml', import.meta.url),
);
const VIP = '192.0.2.10';
const NAME = 'web.example';
/** More than HAProxy takes on its command line. */
const MANY = 40;

const fingerprintOf = (tls: TlsData) => new X509Certificate(tls['tls.crt']).fingerprint256;

/** Ports 80 and 443, of which the second ends TLS. */
const encrypted = (...secretNames: string[]) => ({
  frontends: [
    { name: 'http', protocol: 'TCP' as const, port: 80, nodePort: 30_080 },
    { name: 'https', protocol: 'TCP' as const, port: 443, nodePort: 30_081 },
  ],
  haproxy: { tls: { secretNames, ports: ['https'] } },
});

describe('an edge that ends TLS', function () {
  this.timeout(120_000);
  let lab: EdgeLab;
  let node: string;
  let first: TlsData;

  before(async () => {
    first = await makeCertificate(NAME);
    lab = await EdgeLab.start('tls');
    node = await lab.addNode(1, [30_080, 30_081]);
    await putSecret('web-tls', first);
    await lab.addService('plain', { address: '192.0.2.9' });
    await lab.healthyTargets('plain', 1);
    await lab.addService('web', { address: VIP, ...encrypted('web-tls') });
  });

  after(async () => {
    await lab?.stop();
  });

  async function putSecret(name: string, data: object): Promise<void> {
    const encoded = Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, Buffer.from(String(value)).toString('base64')]),
    );
    await lab.client.request('PATCH', `/api/v1/namespaces/default/secrets/${name}`, {
      contentType: 'application/apply-patch+yaml',
      query: { fieldManager: 'test', force: true },
      body: { apiVersion: 'v1', kind: 'Secret', metadata: { name }, data: encoded },
    });
  }

  /** Of all Secrets: only the first test goes by the rights of one. */
  async function allowAll(): Promise<void> {
    const base = '/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles/fairlead-edge-certificates';
    const rules = [{ apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list', 'watch'] }];
    const options = { contentType: 'application/merge-patch+json', body: { rules } } as const;
    await lab.client.request('PATCH', base, options);
  }

  async function faultOf(name: string, reason: string | undefined): Promise<string> {
    return await eventually(async () => {
      const report = await lab.reportOf(name);
      expect(report.reason).to.equal(reason);
      return report.message ?? '';
    });
  }

  async function shows(tls: TlsData, vip = VIP, name = NAME): Promise<void> {
    await eventually(async () => {
      expect((await shownTo(vip, name)).fingerprint256).to.equal(fingerprintOf(tls));
    });
  }

  it('has no right to any Secret, says whose it needs, and serves the other ports', async () => {
    const message = await faultOf('web', 'CertificateForbidden');
    expect(message).to.include('default/web-tls');
    await eventually(async () => expect(await ask(VIP, 80)).to.equal(node));
    expect(await lab.proxies())
      .to.include('default.web.lab.80')
      .and.not.include('default.web.lab.443');
  });

  it('serves a certificate once a Role lets it read that one Secret, and tells when it expires', async () => {
    await lab.plane.kubectl(['apply', '-f', SAMPLE]);
    await faultOf('web', undefined);
    await eventually(async () => expect(await askEncrypted(VIP, first, NAME)).to.equal(node));
    const notAfter = new X509Certificate(first['tls.crt']).validToDate;
    await eventually(async () => {
      const { certificates = [] } = await lab.reportOf('web');
      expect(certificates.map((each) => each.secretName)).to.deep.equal(['web-tls']);
      expect(new Date(certificates[0]?.notAfter ?? '').getTime()).to.equal(notAfter.getTime());
    });
    const labels = 'load_balancer="default/web.lab",secret="web-tls"';
    const line = `certificate_expiry_timestamp_seconds{${labels}} ${notAfter.getTime() / 1000}\n`;
    await eventually(async () => {
      const url = 'http://127.0.0.1:10359/metrics';
      expect(await run('ip', 'netns', 'exec', lab.netns, 'curl', '-s', url)).to.include(line);
    });
    await allowAll();
  });

  it('keeps keys to itself', async () => {
    const folder = `${lab.folder}/certificates`;
    expect((await stat(folder)).mode & 0o777).to.equal(0o700);
    const files = (await readdir(folder)).filter((name) => name.endsWith('.pem'));
    expect(files).to.deep.equal(['default.web-tls.pem']);
    for (const name of files) expect((await stat(`${folder}/${name}`)).mode & 0o777).to.equal(0o600);
    expect(JSON.stringify(lab.edge.lines)).to.not.include('PRIVATE KEY');
  });

  it('serves a renewed one with no reload, and lets what is open go on', async () => {
    const reloads = await lab.reloads();
    const open = await openEncrypted(VIP, NAME);
    const renewed = await makeCertificate(NAME, { days: 60 });
    await putSecret('web-tls', renewed);
    await shows(renewed);
    expect(await askEncrypted(VIP, renewed, NAME)).to.equal(node);
    const answer = new Promise<string>((resolve) => open.once('data', (data) => resolve(String(data))));
    open.write('GET / HTTP/1.1\r\nHost: test\r\n\r\n');
    expect(await answer).to.include(node);
    open.destroy();
    expect(await lab.reloads()).to.equal(reloads);
  });

  it('goes on with the last good one when another is broken, is not the key of its own, or is gone', async () => {
    const good = await makeCertificate(NAME);
    await putSecret('web-tls', good);
    await shows(good);
    const other = await makeCertificate(NAME);
    const bad: [string, object][] = [
      ['is not the key of the certificate', { ...good, 'tls.key': other['tls.key'] }],
      ["tls.key can't be read", { ...good, 'tls.key': 'none' }],
      ['no certificate in PEM', { ...good, 'tls.crt': 'none' }],
    ];
    for (const [message, data] of bad) {
      await putSecret('web-tls', data);
      await eventually(async () => {
        const report = await lab.reportOf('web');
        expect(report.reason).to.equal('CertificateInvalid');
        expect(report.message ?? '').to.include(message);
      });
      await shows(good);
    }
    await putSecret('web-tls', await makeCertificate(NAME, { rsaBits: 1024 }));
    expect(await faultOf('web', 'CertificateRefused')).to.include('unable to load SSL certificate');
    await shows(good);
    await lab.client.delete(SECRETS, 'default', 'web-tls');
    await faultOf('web', 'CertificateMissing');
    await shows(good);
    await putSecret('web-tls', good);
    await faultOf('web', undefined);
  });

  it('takes a certificate up that it missed while it was dead, with no reload', async () => {
    const reloads = await lab.reloads();
    await lab.edge.end('SIGKILL');
    const renewed = await makeCertificate(NAME);
    await putSecret('web-tls', renewed);
    lab.startEdgeAgain();
    await shows(renewed);
    await faultOf('web', undefined);
    expect(await lab.reloads()).to.equal(reloads);
  });

  it('starts HAProxy with a certificate that came while neither of them ran', async () => {
    await lab.edge.end('SIGKILL');
    await lab.killHaproxy();
    const renewed = await makeCertificate(NAME);
    await putSecret('web-tls', renewed);
    lab.startEdgeAgain();
    await shows(renewed);
    const again = await makeCertificate(NAME);
    await putSecret('web-tls', again);
    await shows(again);
  });

  it('chooses by the name that a client asks for, and shows the first one to all others', async () => {
    const [one, two] = [await makeCertificate('one.example'), await makeCertificate('two.example')];
    await putSecret('one', one);
    await putSecret('two', two);
    const address = '192.0.2.11';
    await lab.addService('names', { address, ...encrypted('one', 'two') });
    await shows(one, address, 'one.example');
    await shows(two, address, 'two.example');
    await shows(one, address, 'three.example');
  });

  it('names who wants a Secret that is not there, and serves it when it is', async () => {
    const address = '192.0.2.12';
    await lab.addService('early', { address, ...encrypted('late') });
    await faultOf('early', 'CertificateMissing');
    await eventually(async () => expect(await ask(address, 80)).to.equal(node));
    expect((await lab.reportOf('web')).reason).to.equal(undefined);
    expect((await lab.reportOf('plain')).reason).to.equal(undefined);
    const late = await makeCertificate(NAME);
    await putSecret('late', late);
    await shows(late, address);
    await faultOf('early', undefined);
    // Of what nobody asks for any more, the key goes as well.
    await lab.deleteService('early');
    await eventually(async () => {
      expect(await readdir(`${lab.folder}/certificates`)).to.not.include('default.late.pem');
    });
  });

  it('never serves a port without TLS because its name is misspelled', async () => {
    const address = '192.0.2.13';
    const spec = encrypted('web-tls');
    await lab.addService('typo', {
      address,
      ...spec,
      haproxy: { tls: { secretNames: ['web-tls'], ports: ['htps'] } },
    });
    expect(await faultOf('typo', 'TLSPortNotFound')).to.include('"htps"');
    expect(await lab.proxies()).to.not.include('default.typo.lab.443');
    await lab.patchService('typo', { haproxy: { tls: { ports: ['443'] } } });
    await faultOf('typo', undefined);
    await eventually(async () => expect((await shownTo(address, NAME)).subject.CN).to.equal(NAME));
    // What was served stays as it was.
    await lab.patchService('typo', { haproxy: { tls: { ports: ['443', 'no'] } } });
    await faultOf('typo', 'TLSPortNotFound');
    expect((await shownTo(address, NAME)).subject.CN).to.equal(NAME);
  });

  it('serves one that has expired, and says so', async () => {
    const address = '192.0.2.14';
    const old = await makeCertificate(NAME, { days: -1 });
    await putSecret('old', old);
    await lab.addService('old', { address, ...encrypted('old') });
    expect(await faultOf('old', 'CertificateExpired')).to.include('default/old');
    await shows(old, address);
  });

  it('takes a chain that is larger than its command line by a reload', async () => {
    const address = '192.0.2.15';
    const large = async () => {
      const own = await makeCertificate(NAME);
      const others = await Promise.all(Array.from({ length: MANY }, () => makeCertificate('authority')));
      return { ...own, 'tls.crt': [own, ...others].map((each) => each['tls.crt']).join('\n') };
    };
    const [one, two] = [await large(), await large()];
    await putSecret('large', one);
    await lab.addService('large', { address, ...encrypted('large') });
    await shows(one, address);
    await putSecret('large', two);
    await shows(two, address);
    await eventually(async () => {
      const names = await readdir(`${lab.folder}/certificates`);
      expect(names.filter((name) => name.startsWith('default.large_'))).to.have.length(1);
    });
  });
});
