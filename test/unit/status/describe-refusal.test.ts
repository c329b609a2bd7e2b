import { expect } from 'chai';
import { errorOfStatus } from '../../../kube/classify-error.ts';
import { describeFailure, describeRefusal } from '../../../operator/status/describe-refusal.ts';

const refused = (message: string, code = 422) =>
  describeRefusal(
    errorOfStatus({ code, message }, 'POST /apis/fairlead.dev/v1alpha1/namespaces/shop/loadbalancers'),
  );

describe('status: what the API server refuses', () => {
  it('is told without the request', () => {
    const text = refused('admission webhook "policy.example.com" denied the request: no load balancers here');
    expect(text).to.equal(
      'Kubernetes refuses what is to be written for it: admission webhook "policy.example.com" denied the request: no load balancers here.',
    );
  });

  it('is said in a few words where the namespace goes', () => {
    const text = refused(
      'loadbalancers.fairlead.dev "web.edge" is forbidden: unable to create new content in namespace shop because it is being terminated',
      403,
    );
    expect(text).to.equal('Its namespace is being deleted: nothing new is made in it.');
  });

  it('takes what was thrown as a sentence', () => {
    expect(describeFailure(new Error('Rate exceeded'))).to.equal('Rate exceeded.');
    expect(describeFailure('No more.')).to.equal('No more.');
  });
});
