import type { Mend, MendContext } from '../mend.ts';
import { objects, type PlainObject, text } from '../plain.ts';

/**
 * moto's load balancers take no addresses of their subnets; in AWS each takes one a zone, more when it grows. A test may also
 * say how many are free.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/network/availability-zones.html
 */
export const freeAddresses: Mend = {
  service: 'ec2',
  after: {
    DescribeSubnets(_parameters, result, context) {
      for (const subnet of objects(result.subnetSet)) {
        subnet.availableIpAddressCount = String(freeAddressesOf(subnet, context));
      }
    },
  },
};

/** Of a subnet as moto describes it. */
export function freeAddressesOf(subnet: PlainObject, { view }: MendContext): number {
  const id = text(subnet.subnetId);
  const said = view.freeAddresses.get(id);
  if (said !== undefined) return said;
  return Number(text(subnet.availableIpAddressCount)) - view.loadBalancersIn(id).length;
}
