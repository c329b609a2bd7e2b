import type { LoadBalancerProviderSpec } from '../../crds/load-balancer-provider.ts';
import type { Finding } from '../provider.ts';

/** What is wrong with a provider of type webhook, beyond what its schema refuses. */
export function validateWebhook({ webhook }: LoadBalancerProviderSpec): Finding[] {
  if (webhook === undefined || URL.canParse(webhook.url)) return [];
  return [
    {
      reason: 'InvalidURL',
      message: `webhook.url ${JSON.stringify(webhook.url)} is no address that can be asked, such as https://lb.example.com/fairlead.`,
    },
  ];
}
