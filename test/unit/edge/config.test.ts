import { expect } from 'chai';
import { readConfig, renderHelp } from '../../../edge/config.ts';
import { ConfigError } from '../../../kube/configure.ts';

describe('edge: its settings', () => {
  it('come from flags, then from the environment, then from defaults', () => {
    const config = readConfig(['--provider', 'lab', '--name', 'edge-1'], {
      FAIRLEAD_NAME: 'other',
      FAIRLEAD_FOLDER: '/run/here/',
      FAIRLEAD_USER: '',
    });
    expect(config).to.deep.equal({
      provider: 'lab',
      name: 'edge-1',
      folder: '/run/here',
      haproxy: 'haproxy',
      keepalived: 'keepalived',
      namespace: 'fairlead-system',
      user: undefined,
      listen: { host: '127.0.0.1', port: 10_359 },
      logLevel: 'info',
    });
  });

  const wrong: [string, string[], string][] = [
    ['no provider', [], '--provider'],
    ['a name that no object may have', ['--provider', 'lab', '--name', 'Edge_1'], '--name'],
    ['a folder that is none', ['--provider', 'lab', '--name', 'a', '--folder', 'run'], '--folder'],
    [
      'a folder too deep for a socket',
      ['--provider', 'lab', '--name', 'a', '--folder', `/${'x'.repeat(90)}`],
      '--folder',
    ],
    ['a user with a blank', ['--provider', 'lab', '--name', 'a', '--user', 'a b'], '--user'],
    ['a port that is none', ['--provider', 'lab', '--name', 'a', '--listen', 'localhost'], '--listen'],
    ['a log level that is none', ['--provider', 'lab', '--name', 'a', '--log-level', 'loud'], '--log-level'],
    ['a flag that there is not', ['--colour', 'red'], 'colour'],
  ];
  for (const [name, argv, said] of wrong) {
    it(`refuse ${name}`, () => {
      expect(() => readConfig(argv, {})).to.throw(ConfigError, said);
    });
  }

  it('are told by --help', () => {
    expect(readConfig(['--help'], {})).to.equal('help');
    expect(renderHelp()).to.include('--provider');
  });
});
