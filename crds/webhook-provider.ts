import { z } from 'zod';
import { type Rule, withRules } from './rules.ts';

const objectName = (what: string) => z.string().min(1).max(253).describe(what);

/** RFC 1123 names and addresses of the machine that the operator itself runs on. */
const IS_LOOPBACK =
  "url(self.url).getHostname() in ['localhost', '127.0.0.1', '::1', '[::1]'] || url(self.url).getHostname().endsWith('.localhost')";
const IS_PLAIN = "isURL(self.url) && url(self.url).getScheme() == 'http'";

const urlRules: Rule[] = [
  {
    rule: "isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getHostname() != ''",
    message: 'the address is a URL that begins with https://, or http://: https://lb.example.com/fairlead',
    reason: 'FieldValueInvalid',
  },
  {
    rule: "!self.contains('@') && !self.contains('?') && !self.contains('#')",
    message: 'the address has no user, no query and no fragment: credentials come from a Secret',
    reason: 'FieldValueInvalid',
  },
];

const tlsSchema = withRules(
  z.object({
    caSecretName: objectName(
      "A Secret in Fairlead's namespace with the authorities in `ca.crt` (PEM).",
    ).optional(),
    caConfigMapName: objectName(
      "A ConfigMap in Fairlead's namespace with the authorities in `ca.crt` (PEM).",
    ).optional(),
    serverName: z
      .string()
      .min(1)
      .max(253)
      .optional()
      .describe("The name that the server's certificate must have, in the place of the URL's host."),
  }),
  {
    rule: '!(has(self.caSecretName) && has(self.caConfigMapName))',
    message: 'the authorities come from one place: set caSecretName or caConfigMapName',
    reason: 'FieldValueInvalid',
  },
);

/** A server of one's own that speaks the contract of providers/webhook/contract.ts. */
export const webhookSchema = withRules(
  z.object({
    url: withRules(z.string().min(1).max(2048), ...urlRules).describe(
      'Where the server is: `/v1/validate`, `/v1/plan` and the others come behind it.',
    ),
    parameters: z
      .record(z.string(), z.string().max(4096).describe('The value.'))
      .meta({ maxProperties: 64 })
      .optional()
      .describe('What the server has to know, in its own words; it gets them with each request.'),
    addresses: z
      .enum(['Server', 'Pools'])
      .default('Server')
      .describe(
        'Where addresses come from. Server: it brings its own. Pools: Fairlead claims them from AddressPools, and the server listens there.',
      ),
    timeoutSeconds: z
      .int()
      .min(1)
      .max(60)
      .default(10)
      .describe('How long an answer to validate, plan and observe may take.'),
    applyTimeoutSeconds: z
      .int()
      .min(1)
      .max(300)
      .default(30)
      .describe('How long an answer to apply and delete may take.'),
    retries: z
      .int()
      .min(0)
      .max(5)
      .default(2)
      .describe(
        'How often a request is sent again at once when the connection fails or the server asks for patience (429, 502, 503, 504).',
      ),
    tls: tlsSchema
      .optional()
      .describe("How the server is known to be the right one; without it, by the system's authorities."),
    credentials: z
      .object({
        secretName: objectName(
          "A Secret in Fairlead's namespace: `token` is sent as bearer token, `tls.crt` and `tls.key` are the client certificate.",
        ),
      })
      .optional()
      .describe('Who Fairlead is to the server; without it, nobody.'),
    allowHTTP: z
      .boolean()
      .default(false)
      .describe(
        'true: an http:// address of another machine is taken, though all that is sent can be read and changed on the way.',
      ),
  }),
  {
    rule: `!(${IS_PLAIN}) || ${IS_LOOPBACK} || (has(self.allowHTTP) && self.allowHTTP)`,
    message: 'http:// is for servers beside the operator (localhost): use https://, or set allowHTTP',
    reason: 'FieldValueInvalid',
    fieldPath: '.url',
  },
  {
    rule: `!(${IS_PLAIN}) || ${IS_LOOPBACK} || !has(self.credentials)`,
    message: 'credentials could be read on the way: use https://',
    reason: 'FieldValueForbidden',
    fieldPath: '.credentials',
  },
).describe('A server of your own, which is asked over HTTP what to do (docs/providers/webhook.md).');

export type WebhookConfig = z.infer<typeof webhookSchema>;
