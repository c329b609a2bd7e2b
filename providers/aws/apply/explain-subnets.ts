import { ClassedError } from '../../../kube/errors.ts';
import type { SubnetMappingModel } from '../model.ts';
import type { StackWriter } from './stack-writer.ts';

/** https://docs.aws.amazon.com/elasticloadbalancing/latest/network/network-load-balancers.html#availability-zones */
const ADDRESSES_NEEDED = 8;

/** An error that says which subnets are too full, and how full, where that's what AWS complains of. */
export async function explainSubnets(
  writer: StackWriter,
  mappings: readonly SubnetMappingModel[],
  error: unknown,
): Promise<unknown> {
  if (!(error instanceof ClassedError) || error.reason !== 'InvalidSubnet') return error;
  const { subnets } = await writer.inventory.network.refresh(writer.context);
  const full = subnets.filter(
    ({ availableAddresses, id }) =>
      availableAddresses < ADDRESSES_NEEDED && mappings.some(({ subnet }) => subnet === id),
  );
  if (full.length === 0) return error;
  const each = full.map(
    ({ availableAddresses, id }) => `Subnet ${id} has ${availableAddresses} free addresses`,
  );
  const message = `${each.join(', ')}; ${ADDRESSES_NEEDED} are needed: free some, or name other subnets.`;
  return new ClassedError(message, {
    class: error.class,
    code: error.code,
    reason: error.reason,
    retryAfterSeconds: error.retryAfterSeconds,
    cause: error,
  });
}
