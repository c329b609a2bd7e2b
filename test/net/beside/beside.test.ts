import { cleansUp } from './cases/clean-up.ts';
import { leavesForeignRules } from './cases/leave-foreign-rules.ts';
import { movesServices } from './cases/move-services.ts';
import { replacesKubeProxy } from './cases/replace-kube-proxy.ts';
import { servesBoth } from './cases/serve-both.ts';
import { survivesEnds } from './cases/survive-ends.ts';
import { BesideLab, type KubeProxyMode } from './support/beside-lab.ts';
import { SERVICES } from './support/expectations.ts';
import { addThirdParty } from './support/foreign-rules.ts';
import { createService } from './support/services.ts';

const MODES: readonly KubeProxyMode[] = ['nftables', 'iptables'];

for (const mode of MODES) {
  describe(`the agent beside real kube-proxy in ${mode} mode`, function () {
    this.timeout(240_000);
    let started: BesideLab | undefined;
    const lab = (): BesideLab => {
      if (started === undefined) throw new Error('the lab did not start');
      return started;
    };

    before(async () => {
      started = await BesideLab.start(mode);
      for (const sketch of SERVICES) await createService(started.client, sketch);
      await addThirdParty();
    });

    after(async () => {
      await started?.stop();
    });

    describe('each with what is its own', () => servesBoth(lab));
    describe('while one of them ends', () => survivesEnds(lab));
    describe('when a label changes', () => movesServices(lab));
    describe('and the rules of others', () => leavesForeignRules(lab));
    describe('when it is cleaned up', () => cleansUp(lab));
    describe('in its place', () => replacesKubeProxy(lab));
  });
}
