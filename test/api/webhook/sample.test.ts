import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { LOAD_BALANCER_PROVIDERS } from '../../../crds/resources.ts';
import { CONFIG_MAPS, SECRETS } from '../../../kube/resources.ts';
import { Authority } from '../../controlplane/certificates.ts';
import { SampleProcess } from '../../peers/webhook/sample-process.ts';
import { buildConfig, installRights } from '../config/support/install.ts';
import { Fixture } from '../operator/support/objects.ts';
import { startTestOperator } from '../operator/support/test-operator.ts';
import { sharedCluster } from '../support/cluster.ts';

describe('config/samples/webhook', function () {
  this.timeout(120_000);

  it('is taken by the API server, whole', async () => {
    const cluster = await sharedCluster();
    await installRights(cluster);
    const objects = await buildConfig(cluster, 'samples/webhook');
    const apply = ['apply', '--server-side', '--force-conflicts', '--dry-run=server', '--validate=strict'];
    const said = await cluster.kubectl([...apply, '-k', 'config/samples/webhook']);
    expect(said.trim().split('\n')).to.have.length(objects.length);
    expect(objects.map(({ kind }) => kind)).to.include.members([
      'Deployment',
      'LoadBalancerProvider',
      'ConfigMap',
    ]);
  });

  it('serves over TLS those with its token, with the authority from a ConfigMap', async () => {
    const cluster = await sharedCluster();
    const fixture = await Fixture.create(cluster);
    const { namespace, id } = fixture;
    const folder = mkdtempSync(join(tmpdir(), 'webhook-tls-'));
    const authority = await Authority.create('own authority');
    const { cert, key } = await authority.issueServer('sample', ['127.0.0.1']);
    writeFileSync(join(folder, 'tls.crt'), cert);
    writeFileSync(join(folder, 'tls.key'), key, { mode: 0o600 });
    const sample = await SampleProcess.start({
      TOKEN: 'of-this-test',
      TLS_CERT: join(folder, 'tls.crt'),
      TLS_KEY: join(folder, 'tls.key'),
    });
    const operator = await startTestOperator(cluster, { agentsNamespace: namespace });
    try {
      await fixture.make(CONFIG_MAPS, {
        metadata: { name: 'ca', namespace },
        data: { 'ca.crt': authority.cert },
      });
      await fixture.make(SECRETS, {
        metadata: { name: 'wrong', namespace },
        stringData: { token: 'guessed' },
      });
      await fixture.make(SECRETS, {
        metadata: { name: 'token', namespace },
        stringData: { token: 'of-this-test' },
      });
      const provider = (secretName: string) => ({
        webhook: {
          url: `https://127.0.0.1:${sample.port}`,
          parameters: { addresses: '192.0.2.10' },
          tls: { caConfigMapName: 'ca' },
          credentials: { secretName },
        },
      });
      await fixture.make(LOAD_BALANCER_PROVIDERS, {
        metadata: { name: `p-${id}` },
        spec: provider('wrong'),
      });
      await fixture.service('web');
      const { message } = await fixture.untilReason('web', 'SyncFailed');
      expect(message).to.contain('Unauthorized: Wrong token.').and.to.not.contain('guessed');

      await fixture.patch(LOAD_BALANCER_PROVIDERS, `p-${id}`, { spec: provider('token') });
      expect(await fixture.untilAddress('web')).to.equal('192.0.2.10');
    } finally {
      await fixture.clean();
      await operator.stop();
      await sample.remove();
      rmSync(folder, { recursive: true });
    }
  });
});
