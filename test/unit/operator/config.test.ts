import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ConfigError } from '../../../kube/configure.ts';
import { readConfig, renderHelp } from '../../../operator/config.ts';

function config(argv: string[], env: NodeJS.ProcessEnv = {}) {
  const read = readConfig(argv, env);
  if (read === 'help') throw new Error('help was asked for');
  return read;
}

describe('operator/config', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'fairlead-config-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  function file(content: string): string {
    const path = join(folder, 'config.yaml');
    writeFileSync(path, content);
    return path;
  }

  it('needs nothing to be said', () => {
    expect(config([])).to.deep.include({
      namespace: 'fairlead-system',
      leaseDurationSeconds: 15,
      nodePortRange: { first: 30000, last: 32767 },
      logLevel: 'info',
    });
  });

  it('takes flags before the environment before the file', () => {
    const path = file('namespace: from-file\nleaseName: from-file\nhealthPort: 1111\n');

    const read = config(['--config', path, '--namespace', 'from-flag'], {
      FAIRLEAD_NAMESPACE: 'from-env',
      FAIRLEAD_LEASE_NAME: 'from-env',
      FAIRLEAD_HEALTH_PORT: '',
    });

    expect(read).to.deep.include({ namespace: 'from-flag', leaseName: 'from-env', healthPort: 1111 });
  });

  const bad: [what: string, read: () => unknown, says: RegExp][] = [
    ['a flag that does not exist', () => config(['--nonsense', 'x']), /--nonsense/],
    ['a port out of range', () => config(['--health-port=70000']), /^--health-port: .*65535/],
    [
      'text for a number',
      () => config([], { FAIRLEAD_CONCURRENCY: 'many' }),
      /^\$FAIRLEAD_CONCURRENCY: .*number/,
    ],
    ['a range that is none', () => config(['--node-port-range=high']), /^--node-port-range: must be a range/],
    [
      'lease times that let two lead',
      () => config(['--lease-duration-seconds=5']),
      /--renew-deadline-seconds: must be less than leaseDurationSeconds \(5\)/,
    ],
    ['a log level that does not exist', () => config(['--log-level=loud']), /^--log-level: .*"debug"/],
    [
      'a file that is missing',
      () => config(['--config=/does/not/exist']),
      /\/does\/not\/exist can't be read/,
    ],
    [
      'an unknown setting in the file',
      () => config(['--config', file('color: red')]),
      /unknown settings: color/,
    ],
    [
      'a bad value in the file',
      () => config(['--config', file('logLevel: 7')]),
      /^logLevel in .*config.yaml: /,
    ],
    ['a file that is a list', () => config(['--config', file('- a')]), /not a mapping/],
  ];
  for (const [what, read, says] of bad) {
    it(`refuses ${what}, naming where it was said`, () => {
      expect(read).to.throw(ConfigError, says);
    });
  }

  it('names every fault at once', () => {
    expect(() => config(['--health-port=x', '--log-level=y'])).to.throw(
      ConfigError,
      /log-level.*\n.*health-port/,
    );
  });

  it('lists every flag with its default when asked for help', () => {
    expect(readConfig(['--help'], {})).to.equal('help');
    expect(renderHelp()).to.match(/--lease-duration-seconds +how long .*\(default 15\)/);
  });
});
