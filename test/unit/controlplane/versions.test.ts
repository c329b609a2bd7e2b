import { expect } from 'chai';
import { cacheKey } from '../../controlplane/cache-key.ts';
import { kubectlServes, requiredVersion } from '../../controlplane/versions.ts';

describe('controlplane/versions', () => {
  const skews: [string, string, boolean][] = [
    ['v1.36.3', '1.36.3', true],
    ['v1.35.0', '1.36.3', true],
    ['v1.37.1', '1.36.3', true],
    ['v1.34.9', '1.36.3', false],
    ['v1.32.4-dispatcher', '1.36.3', false],
    ['v2.36.0', '1.36.3', false],
  ];
  for (const [kubectl, server, serves] of skews) {
    it(`kubectl ${kubectl} ${serves ? 'serves' : 'does not serve'} an API server ${server}`, () => {
      expect(kubectlServes(kubectl, server)).to.equal(serves);
    });
  }

  it('reads a required version from a block and from a line of its own', () => {
    expect(
      requiredVersion('require (\n\tk8s.io/kubernetes v1.36.3 // indirect\n)', 'k8s.io/kubernetes'),
    ).to.equal('1.36.3');
    expect(requiredVersion('require k8s.io/kubernetes v1.36.3', 'k8s.io/kubernetes')).to.equal('1.36.3');
  });

  it('does not take a replacement or a tool for a requirement', () => {
    const goMod = 'replace k8s.io/api => k8s.io/api v0.36.3\ntool k8s.io/api';
    expect(() => requiredVersion(goMod, 'k8s.io/api')).to.throw('go.mod requires no k8s.io/api');
  });
});

describe('controlplane/cache-key', () => {
  const input = { kubernetes: '1.36.3', etcd: '3.7.3', platform: 'linux-x64', pinned: ['a', 'bc'] };

  it('tells the versions and the platform, and is the same for the same input', () => {
    expect(cacheKey(input)).to.match(/^kubernetes-1\.36\.3-etcd-3\.7\.3-linux-x64-[0-9a-f]{12}$/);
    expect(cacheKey({ ...input })).to.equal(cacheKey(input));
  });

  it('changes with every text that pins the build, and with where one text ends', () => {
    const keys = [['a', 'bc'], ['a', 'bd'], ['ab', 'c'], ['abc'], ['a', 'bc', '']].map((pinned) =>
      cacheKey({ ...input, pinned }),
    );
    expect(new Set(keys)).to.have.lengthOf(keys.length);
  });
});
