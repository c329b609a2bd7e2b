import { expect } from 'chai';
import { readConfig, renderHelp } from '../../../agent/config.ts';
import { ConfigError } from '../../../kube/configure.ts';

const NODE = ['--node-name', 'n1'];

describe('agent: configuration', () => {
  it('has defaults for all but the name of its node', () => {
    expect(readConfig(NODE, {})).to.deep.equal({
      command: 'run',
      nodeName: 'n1',
      clusterCidrs: [],
      nodePortAddresses: 'primary',
      markBit: 0x2000,
      serve: 'Own',
      externalIps: [],
      auditSeconds: 30,
      conntrack: null,
      healthAddress: { host: '0.0.0.0', port: 10356 },
      metricsAddress: { host: '127.0.0.1', port: 10349 },
      localhostNodePorts: false,
      namespace: 'fairlead-system',
      logLevel: 'info',
    });
  });

  it('tells its health and metrics where kube-proxy does when it is in its place, and elsewhere beside it', () => {
    expect(readConfig([...NODE, '--serve', 'All'], {})).to.deep.include({
      serve: 'All',
      healthAddress: { host: '0.0.0.0', port: 10256 },
      metricsAddress: { host: '127.0.0.1', port: 10249 },
    });
    const env = { FAIRLEAD_SERVE: 'All', FAIRLEAD_HEALTH_ADDRESS: '127.0.0.1:10356' };
    expect(readConfig(NODE, env)).to.deep.include({ healthAddress: { host: '127.0.0.1', port: 10356 } });
  });

  it('takes flags before variables, and an empty variable for none', () => {
    const env = { FAIRLEAD_NODE_NAME: 'n2', FAIRLEAD_AUDIT_SECONDS: '5', FAIRLEAD_LOG_LEVEL: '' };
    expect(readConfig(NODE, env)).to.include({ nodeName: 'n1', auditSeconds: 5, logLevel: 'info' });
    expect(readConfig([], { NODE_NAME: 'n3' })).to.include({ nodeName: 'n3' });
  });

  it('reads CIDRs of both families, bits, and addresses to listen on', () => {
    const config = readConfig(
      [
        ...NODE,
        '--cluster-cidr',
        '10.244.0.0/16, fd00:244::/32',
        '--mark-bit=3',
        '--health-address',
        '[::1]:1',
      ],
      {},
    );
    expect(config).to.deep.include({
      clusterCidrs: ['10.244.0.0/16', 'fd00:244::/32'],
      markBit: 8,
      healthAddress: { host: '::1', port: 1 },
    });
  });

  it('reads who may have which external addresses', () => {
    const rules = 'team-a=203.0.113.0/24, *=fd00:203::/64';
    expect(readConfig([...NODE, '--external-ips', rules, '--serve', 'Own'], {})).to.deep.include({
      serve: 'Own',
      externalIps: [
        { namespace: 'team-a', cidr: '203.0.113.0/24' },
        { namespace: '*', cidr: 'fd00:203::/64' },
      ],
    });
  });

  it('needs no node to clean up', () => {
    expect(readConfig(['cleanup'], {})).to.include({ command: 'cleanup' });
  });

  it('lets node ports answer on the loopback address when told to', () => {
    expect(readConfig([...NODE, '--localhost-nodeports=true'], {})).to.include({ localhostNodePorts: true });
  });

  const bad: [string, string[], RegExp][] = [
    ['half a switch', [...NODE, '--localhost-nodeports', 'maybe'], /true or false/],
    ['no node', [], /--node-name/],
    ['an unknown flag', [...NODE, '--frobnicate'], /frobnicate/],
    ['an unknown command', [...NODE, 'fly'], /fly/],
    ['what is no CIDR', [...NODE, '--cluster-cidr', '10.244.0.0/33'], /10\.244\.0\.0\/33.*no CIDR/],
    ['a bit that a mark has not', [...NODE, '--mark-bit', '32'], /from 0 to 31/],
    ['serving anything else', [...NODE, '--serve', 'Some'], /must be All or Own/],
    [
      'a log level that nobody writes at',
      [...NODE, '--log-level', 'loud'],
      /--log-level: must be debug, info, warn or error/,
    ],
    ['a rule without a namespace', [...NODE, '--external-ips', '203.0.113.0/24'], /team-a=203/],
    ['a rule without a range', [...NODE, '--external-ips', 'team-a='], /names no range/],
    ['a rule of what is no CIDR', [...NODE, '--external-ips', '*=203.0.113.0'], /no CIDR/],
    ['a place to listen without a port', [...NODE, '--health-address', 'localhost'], /host:port/],
  ];
  for (const [name, argv, message] of bad) {
    it(`refuses ${name}, and says what to mend`, () => {
      expect(() => readConfig(argv, {})).to.throw(ConfigError, message);
    });
  }

  it('explains every flag', () => {
    expect(readConfig(['--help'], {})).to.equal('help');
    for (const flag of ['node-name', 'cluster-cidr', 'mark-bit', 'serve']) {
      expect(renderHelp()).to.include(`--${flag} `);
    }
  });
});
