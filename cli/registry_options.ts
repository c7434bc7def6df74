/** What verbs may be told about registries; opening one takes much more to load. */
import type { Options, OptionValues } from "../mod.ts";

/** The flags of verbs that speak to registries. */
export const registryOptions = {
  user: { type: "string", placeholder: "NAME", summary: "log in with this name, see --password-stdin" },
  passwordStdin: { type: "boolean", summary: "read the password, or token, from stdin" },
  plainHttp: { type: "boolean", summary: "speak plain http to a registry that is not configured" },
  skipVerify: { type: "boolean", summary: "trust every certificate; passwords are not safe then" },
  ca: {
    type: "list",
    placeholder: "FILE",
    completes: "file",
    summary: "trust the authority of this certificate, too",
  },
  cert: {
    type: "string",
    placeholder: "FILE",
    completes: "file",
    summary: "certificate to show to the registry",
  },
  key: { type: "string", placeholder: "FILE", completes: "file", summary: "the key of --cert" },
  hostsDir: {
    type: "list",
    placeholder: "DIR",
    completes: "file",
    summary: "mirrors and certificates of registries (else /etc/containerd/certs.d, /etc/docker/certs.d)",
  },
} as const satisfies Options;

/** The values of {@linkcode registryOptions}. */
export type RegistryFlags = OptionValues<typeof registryOptions>;
