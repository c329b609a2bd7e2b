import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import Operator, { type OperatorOptions } from '../../../../operator/operator.ts';

class Plain extends Operator {
  constructor(options: OperatorOptions) {
    super(undefined, options);
  }

  get server(): string | undefined {
    return this.kubeConfig.getCurrentCluster()?.server;
  }

  protected override async init(): Promise<void> {}
}

const config = (server: string) => `apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "${server}"}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
`;

describe('operator: which kubeconfig', () => {
  const before = process.env.KUBECONFIG;
  let dir: string;
  let one: string;
  let other: string;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'fairlead-kubeconfig-'));
    one = join(dir, 'one');
    other = join(dir, 'other');
    writeFileSync(one, config('https://one.example:6443'));
    writeFileSync(other, config('https://other.example:6443'));
  });
  afterEach(() => {
    if (before === undefined) delete process.env.KUBECONFIG;
    else process.env.KUBECONFIG = before;
    rmSync(dir, { recursive: true });
  });

  for (const what of ['is missing', 'is none'] as const) {
    it(`is the one that is given, also when that of $KUBECONFIG ${what}`, () => {
      process.env.KUBECONFIG = join(dir, 'env');
      if (what === 'is none') writeFileSync(join(dir, 'env'), 'clusters: {');

      expect(new Plain({ kubeconfig: one }).server).to.equal('https://one.example:6443');
      expect(process.env.KUBECONFIG).to.equal(join(dir, 'env'));
    });
  }

  it('is the first of $KUBECONFIG that exists', () => {
    process.env.KUBECONFIG = `/nowhere/kubeconfig:${other}:${one}`;

    expect(new Plain({}).server).to.equal('https://other.example:6443');
    expect(process.env.KUBECONFIG).to.equal(`/nowhere/kubeconfig:${other}:${one}`);
  });

  it('says which file is missing when that is the one that is given', () => {
    const missing = join(dir, 'missing');

    expect(() => new Plain({ kubeconfig: missing })).to.throw(missing);
    expect(process.env.KUBECONFIG).to.equal(before);
  });
});
