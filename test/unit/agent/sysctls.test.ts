import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type ConntrackSettings, decideSysctls } from '../../../agent/sysctls/decide-sysctls.ts';
import { setSysctls } from '../../../agent/sysctls/set-sysctls.ts';
import { silentLogger } from '../../../kube/log.ts';

const SETTINGS: ConntrackSettings = {
  procSys: '/proc/sys',
  maxPerCore: 32_768,
  min: 131_072,
  tcpEstablishedSeconds: 86_400,
  tcpCloseWaitSeconds: 3_600,
  tcpBeLiberal: true,
  udpSeconds: 0,
  udpStreamSeconds: 0,
};

function decided(settings: Partial<ConntrackSettings>, cores: number) {
  return Object.fromEntries(
    decideSysctls({ ...SETTINGS, ...settings }, cores).map(({ path, value }) => [
      path.split('/').at(-1),
      value,
    ]),
  );
}

describe('agent: settings of connection tracking', () => {
  it('grow with the cores, between limits', () => {
    expect(decided({}, 2)).to.include({ nf_conntrack_max: 131_072, nf_conntrack_buckets: 32_768 });
    expect(decided({}, 8)).to.include({ nf_conntrack_max: 262_144, nf_conntrack_buckets: 65_536 });
    expect(decided({}, 128)).to.include({ nf_conntrack_max: 1_048_576 });
  });

  it('are those of kube-proxy, and liberal', () => {
    expect(decided({}, 2)).to.include({
      nf_conntrack_tcp_timeout_established: 86_400,
      nf_conntrack_tcp_timeout_close_wait: 3_600,
      nf_conntrack_tcp_be_liberal: 1,
    });
  });

  it('of UDP are made where they are given, and all of them where the files are', () => {
    expect(decided({}, 2)).to.not.have.any.keys(
      'nf_conntrack_udp_timeout',
      'nf_conntrack_udp_timeout_stream',
    );
    expect(decided({ udpSeconds: 20, udpStreamSeconds: 90 }, 2)).to.include({
      nf_conntrack_udp_timeout: 20,
      nf_conntrack_udp_timeout_stream: 90,
    });
    const paths = decideSysctls({ ...SETTINGS, procSys: '/host/proc/sys' }, 2).map(({ path }) => path);
    expect(paths).to.include('/host/proc/sys/net/netfilter/nf_conntrack_tcp_be_liberal');
    expect(paths.every((path) => path.startsWith('/host/proc/sys/net/'))).to.equal(true);
  });

  it('are left alone where nothing is wanted', () => {
    const none = { maxPerCore: 0, tcpEstablishedSeconds: 0, tcpCloseWaitSeconds: 0, tcpBeLiberal: false };
    expect(decided(none, 2)).to.deep.equal({});
  });

  describe('in files', () => {
    let folder: string;
    const path = (name: string) => join(folder, name);

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'fairlead-sysctls-'));
    });
    afterEach(() => rm(folder, { recursive: true }));

    it('are set, never lower than they are where more is as good, and what is missing stops nothing', async () => {
      await writeFile(path('small'), '10\n');
      await writeFile(path('large'), '1000\n');
      await writeFile(path('other'), '5\n');
      const problems = await setSysctls(
        [
          { path: path('missing'), value: 1, atLeast: false },
          { path: path('small'), value: 100, atLeast: true },
          { path: path('large'), value: 100, atLeast: true },
          { path: path('other'), value: 1, atLeast: false },
        ],
        silentLogger,
      );

      expect(problems).to.deep.equal([{ path: path('missing'), value: 1, reason: 'ENOENT' }]);
      const contents = ['small', 'large', 'other'].map((name) => readFile(path(name), 'utf8'));
      expect((await Promise.all(contents)).map(Number)).to.deep.equal([100, 1000, 1]);
    });
  });
});
