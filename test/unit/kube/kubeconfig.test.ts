import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { cachedFile } from '../../../kube/cached-file.ts';
import { loadConnectionConfig, loadInCluster } from '../../../kube/config.ts';
import { parseKubeconfig } from '../../../kube/kubeconfig.ts';

interface Parts {
  cluster?: string;
  user?: string;
  current?: string;
}

function kubeconfig({ cluster = '', user = 'token: abc', current = 'main' }: Parts = {}): string {
  return `
apiVersion: v1
kind: Config
current-context: ${current}
contexts:
- {name: main, context: {cluster: c, user: u, namespace: team-a}}
- {name: other, context: {cluster: d, user: u}}
clusters:
- name: c
  cluster: {server: "https://10.0.0.1:6443/", ${cluster}}
- name: d
  cluster: {server: "https://other:6443"}
users:
- name: u
  user: {${user}}
`;
}

describe('kube/kubeconfig', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fairlead-kubeconfig-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('reads server, namespace, token and data fields of the current context', async () => {
    const data = Buffer.from('PEM').toString('base64');
    const text = kubeconfig({ cluster: `certificate-authority-data: ${data}, tls-server-name: kubernetes` });

    const config = await parseKubeconfig(text, '/nowhere/config');

    expect(config).to.include({
      server: 'https://10.0.0.1:6443',
      namespace: 'team-a',
      ca: 'PEM',
      serverName: 'kubernetes',
    });
    expect(config.insecureSkipVerify).to.equal(undefined);
    expect(await config.token?.()).to.equal('abc');
  });

  it('takes the context that was asked for', async () => {
    const config = await parseKubeconfig(kubeconfig(), '/nowhere/config', 'other');

    expect(config.server).to.equal('https://other:6443');
    expect(config.namespace).to.equal(undefined);
  });

  it('finds files beside the kubeconfig, and reads a rotated client certificate anew', async () => {
    await writeFile(join(folder, 'client.crt'), 'first');
    await writeFile(join(folder, 'client.key'), 'key');
    const text = kubeconfig({ user: 'client-certificate: client.crt, client-key: client.key' });
    const config = await parseKubeconfig(text, join(folder, 'config'));
    await writeFile(join(folder, 'client.crt'), 'second');

    expect([config.cert, config.key]).to.deep.equal(['first', 'key']);
    expect((await config.reloadTls?.(false))?.cert).to.equal('first');
    expect((await config.reloadTls?.(true))?.cert).to.equal('second');
  });

  it('prefers a token file to a token, as kubectl does', async () => {
    await writeFile(join(folder, 'token'), 'from-file\n');

    const config = await parseKubeconfig(
      kubeconfig({ user: 'token: abc, tokenFile: token' }),
      join(folder, 'config'),
    );

    expect(await config.token?.()).to.equal('from-file');
  });

  it('runs the program of an exec user for its token, again only when asked for a fresh one', async () => {
    const credential = JSON.stringify({
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: { token: 'TOKEN', expirationTimestamp: '2999-01-01T00:00:00Z' },
    });
    const script = `echo run >> ${join(folder, 'runs')}; echo '${credential}' | sed "s/TOKEN/token-$(wc -l < ${join(folder, 'runs')})/"`;
    await writeFile(join(folder, 'plugin.sh'), script);
    const user = `exec: {apiVersion: client.authentication.k8s.io/v1, command: sh, args: [${join(folder, 'plugin.sh')}], interactiveMode: Never}`;
    const path = join(folder, 'exec-config');
    const text = kubeconfig({ user });
    await writeFile(path, text);

    const config = await parseKubeconfig(text, path);
    const tokens = [await config.token?.(), await config.token?.(), await config.token?.(true)];

    expect(tokens).to.deep.equal(['token-1', 'token-1', 'token-2']);
  });

  const broken: [what: string, text: string, message: string][] = [
    ['a context that is not there', kubeconfig({ current: 'gone' }), '/c: contexts has no "gone"'],
    ['no current context', kubeconfig({ current: '""' }), '/c: no current-context; name one'],
    ['a text that is not YAML', 'a: [', "/c isn't YAML"],
    ['an empty file', '', '/c: expected fields'],
    [
      'a certificate file that is not there',
      kubeconfig({ cluster: 'certificate-authority: gone.crt' }),
      'cannot read /gone.crt',
    ],
  ];
  for (const [what, text, message] of broken) {
    it(`names the file and the fault: ${what}`, async () => {
      const error: unknown = await parseKubeconfig(text, '/c').catch((thrown: unknown) => thrown);

      expect(error).to.be.instanceOf(Error).with.property('message').that.includes(message);
    });
  }
});

describe('kube/config', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fairlead-config-'));
    await writeFile(join(folder, 'token'), 'sa-token');
    await writeFile(join(folder, 'ca.crt'), 'CA');
    await writeFile(join(folder, 'namespace'), 'fairlead-system\n');
  });
  after(() => rm(folder, { recursive: true }));

  it('takes the ServiceAccount of its Pod, over IPv6 too', async () => {
    const env = { KUBERNETES_SERVICE_HOST: 'fd00:96::1', KUBERNETES_SERVICE_PORT: '6443' };

    const config = await loadInCluster(env, folder);

    expect(config).to.include({
      server: 'https://[fd00:96::1]:6443',
      ca: 'CA',
      namespace: 'fairlead-system',
    });
    expect(await config?.token?.()).to.equal('sa-token');
  });

  it('is not in a Pod without the environment or without a token', async () => {
    expect(await loadInCluster({}, folder)).to.equal(undefined);
    expect(await loadInCluster({ KUBERNETES_SERVICE_HOST: '10.0.0.1' }, '/nowhere')).to.equal(undefined);
  });

  it('takes the first file of $KUBECONFIG that is there', async () => {
    const path = join(folder, 'config');
    await writeFile(path, kubeconfig());

    const config = await loadConnectionConfig({}, { KUBECONFIG: `${join(folder, 'gone')}:${path}` });

    expect(config.server).to.equal('https://10.0.0.1:6443');
  });

  it('does not fall back to another cluster when the kubeconfig it was told is missing', async () => {
    const error: unknown = await loadConnectionConfig({ kubeconfig: join(folder, 'gone') }).catch(
      (e: unknown) => e,
    );

    expect(error)
      .to.be.instanceOf(Error)
      .with.property('message')
      .that.includes('cannot read the kubeconfig');
  });
});

describe('kube/cached-file', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fairlead-file-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('reads at most each minute, or when asked for a fresh text', async () => {
    const path = join(folder, 'token');
    let now = 0;
    const read = cachedFile(path, () => now);
    const texts: string[] = [];

    await writeFile(path, 'one');
    texts.push(await read());
    await writeFile(path, 'two');
    now = 59_000;
    texts.push(await read());
    now = 61_000;
    texts.push(await read());
    await writeFile(path, 'three');
    texts.push(await read(true));

    expect(texts).to.deep.equal(['one', 'one', 'two', 'three']);
  });

  it('keeps the last text while the file is away', async () => {
    const path = join(folder, 'swapped');
    await writeFile(path, 'kept');
    const read = cachedFile(path);
    await read();
    await rm(path);

    expect(await read(true)).to.equal('kept');
  });
});
