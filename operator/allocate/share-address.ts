import type { Protocol } from '../../kube/objects.ts';
import type { Finding } from '../../providers/provider.ts';
import type { AddressHolding } from './address-book.ts';

/** What of a holding or a request decides with whom it may share an address. */
export interface Sharer {
  namespace: string;
  service: string;
  provider: string;
  sharedKey?: string | undefined;
  frontends: readonly { protocol: Protocol; port: number }[];
}

/**
 * Says why `sharer` can't have an address that `holder` has; undefined when the two may share it: one namespace, one
 * provider, one key, and no protocol and port in both.
 */
export function refuseToShare(address: string, sharer: Sharer, holder: AddressHolding): Finding | undefined {
  const other = `Service ${holder.namespace}/${holder.service}`;
  const isOneService = sharer.namespace === holder.namespace && sharer.service === holder.service;
  if (isOneService && sharer.provider !== holder.provider) {
    return {
      reason: 'AddressTaken',
      message: `This Service has ${address} at provider "${holder.provider}", and an address can be at one provider only: take fairlead.dev/address away, or ask for another address.`,
    };
  }
  if (sharer.sharedKey === undefined || holder.sharedKey === undefined) {
    const remedy =
      sharer.namespace === holder.namespace && sharer.provider === holder.provider
        ? 'give both the same fairlead.dev/shared-address, or ask for another address'
        : 'ask for another address';
    return { reason: 'AddressTaken', message: `${address} is taken by ${other}: ${remedy}.` };
  }
  if (sharer.namespace !== holder.namespace) {
    return {
      reason: 'SharedAddressOtherNamespace',
      message: `${address} is taken by ${other}, and an address is shared within one namespace only: ask for another address.`,
    };
  }
  if (sharer.provider !== holder.provider) {
    return {
      reason: 'SharedAddressOtherProvider',
      message: `${address} is taken by ${other} at provider "${holder.provider}", and an address is shared at one provider only: ask for another address.`,
    };
  }
  if (sharer.sharedKey !== holder.sharedKey) {
    return {
      reason: 'SharedAddressOtherKey',
      message: `${address} is shared by ${other} under the key "${holder.sharedKey}", not "${sharer.sharedKey}": give both the same fairlead.dev/shared-address.`,
    };
  }
  const clash = sharer.frontends.find((frontend) =>
    holder.frontends.some((other) => other.port === frontend.port && other.protocol === frontend.protocol),
  );
  if (clash === undefined) return undefined;
  return {
    reason: 'SharedAddressPortsClash',
    message: `${address} is shared by ${other}, which has ${clash.protocol} port ${clash.port} already: change the port, or the fairlead.dev/shared-address of one of the two.`,
  };
}

/** The first reason against sharing with any of the holders. */
export function refuseToShareWithAny(
  address: string,
  sharer: Sharer,
  holders: readonly AddressHolding[],
): Finding | undefined {
  for (const holder of holders) {
    const refusal = refuseToShare(address, sharer, holder);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}
