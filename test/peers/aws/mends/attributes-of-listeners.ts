import { AwsError } from '../aws-error.ts';
import type { Mend } from '../mend.ts';
import { keyValues, text } from '../plain.ts';

const IDLE_TIMEOUT = 'tcp.idle_timeout.seconds';

/**
 * moto takes any attribute of any listener. AWS: of a network load balancer's it is the idle timeout of TCP, 60 to 6000 s.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ListenerAttribute.html
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/network/update-idle-timeout.html
 */
export const attributesOfListeners: Mend = {
  service: 'elasticloadbalancing',
  before: {
    ModifyListenerAttributes(parameters, { view }) {
      const listener = view.listeners.get(text(parameters.ListenerArn));
      if (listener === undefined || !view.loadBalancers.get(listener.loadBalancerArn)?.network)
        return undefined;
      for (const [key, value] of Object.entries(keyValues(parameters.Attributes))) {
        if (key !== IDLE_TIMEOUT || listener.protocol !== 'TCP') {
          throw new AwsError(
            'InvalidConfigurationRequest',
            `Listener attribute key '${key}' is not supported on ${listener.protocol} listeners`,
          );
        }
        const seconds = Number(value);
        if (Number.isInteger(seconds) && seconds >= 60 && seconds <= 6000) continue;
        throw new AwsError(
          'ValidationError',
          `'${key}' value '${value}' must be between '60-6000' inclusive`,
        );
      }
      return undefined;
    },
  },
  after: {
    DescribeListenerAttributes(parameters, result, { view }) {
      const protocol = view.listeners.get(text(parameters.ListenerArn))?.protocol;
      if (protocol === 'UDP' || protocol === 'TCP_UDP') result.Attributes = [];
    },
  },
};
