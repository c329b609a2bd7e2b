import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { SysctlProblem } from '../../../agent/sysctls/set-sysctls.ts';
import { run } from '../support/run.ts';

/** As in a container: /proc/sys is read-only, but for what of the node's is mounted elsewhere. */
const CONTAIN = `
  mkdir -p "$FOLDER/net"
  mount --bind /proc/sys/net "$FOLDER/net"
  mount --bind /proc/sys /proc/sys
  mount -o remount,bind,ro /proc/sys
  exec "$0" "$@"
`;

const SET = `
  const [, modules, procSys] = process.argv;
  const { readFile } = await import('node:fs/promises');
  const { tuneConntrack } = await import(modules + 'agent/sysctls/set-sysctls.ts');
  const { silentLogger } = await import(modules + 'kube/log.ts');
  const problems = await tuneConntrack(
    {
      procSys,
      // The table's size is the machine's, which is left alone here.
      maxPerCore: 0,
      min: 0,
      tcpEstablishedSeconds: 77_777,
      tcpCloseWaitSeconds: 0,
      tcpBeLiberal: true,
      udpSeconds: 33,
      udpStreamSeconds: 99,
    },
    silentLogger,
  );
  const read = async (name) => Number(await readFile('/proc/sys/net/netfilter/nf_conntrack_' + name, 'utf8'));
  const names = ['tcp_be_liberal', 'tcp_timeout_established', 'udp_timeout', 'udp_timeout_stream'];
  console.log(JSON.stringify({ problems, values: await Promise.all(names.map(read)) }));
`;

describe('agent on the real kernel: settings of connection tracking', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fairlead-sysctls-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** In a network namespace of its own, which ends with it. */
  const setIn = async (procSys: string): Promise<{ problems: SysctlProblem[]; values: number[] }> => {
    const modules = new URL('../../../', import.meta.url).href;
    const node = [process.execPath, '--input-type=module', '-e', SET, modules, procSys];
    const environment = ['env', `FOLDER=${folder}`];
    return JSON.parse(await run('unshare', '-n', '-m', ...environment, 'sh', '-ec', CONTAIN, ...node));
  };

  it('are made where the node has them mounted', async () => {
    const { problems, values } = await setIn(folder);

    expect(problems).to.deep.equal([]);
    expect(values).to.deep.equal([1, 77_777, 33, 99]);
  });

  it('are told, each, where all are read-only', async () => {
    const { problems, values } = await setIn('/proc/sys');

    expect(values[0]).to.equal(0);
    expect(problems.map(({ path, reason }) => [path.split('/').at(-1), reason])).to.deep.equal([
      ['nf_conntrack_tcp_timeout_established', 'EROFS'],
      ['nf_conntrack_tcp_be_liberal', 'EROFS'],
      ['nf_conntrack_udp_timeout', 'EROFS'],
      ['nf_conntrack_udp_timeout_stream', 'EROFS'],
    ]);
  });
});
