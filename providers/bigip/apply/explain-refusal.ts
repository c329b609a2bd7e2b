import { ClassedError, isClass } from '../../../kube/errors.ts';

const AGAIN_SECONDS = 5;

/**
 * Two Services never have the same address and port: an application of ours that has them is on its way out, and who comes
 * after it is tried again. A device has a node once in all partitions. Whatever else is refused stays so until somebody changes something.
 */
export function explainRefusal(failure: unknown, tenant: string): unknown {
  if (!isClass(failure, 'Rejected')) return failure;
  if (/Invalid Node, the IP address|conflicts with bigip node/i.test(failure.message)) {
    const message = `${failure.message}: another partition of the device has that node; with bigip.shareNodes all tenants may have it`;
    return new ClassedError(message, { class: 'Rejected', reason: 'NodeInOtherPartition', cause: failure });
  }
  const [, other] =
    /illegally shares .* with Virtual Server (\/[^/\s]+\/fl_[^/\s]+)\//.exec(failure.message) ?? [];
  if (other?.startsWith(`/${tenant}/`) !== true) return failure;
  return new ClassedError(failure.message, {
    class: 'Transient',
    reason: 'AddressStillServed',
    retryAfterSeconds: AGAIN_SECONDS,
    cause: failure,
  });
}
