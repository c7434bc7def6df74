import type { RegistryTrouble } from "../mod.ts";

/** What to do about what stands between davit and a registry; see {@linkcode RegistryTrouble}. */
const hints: Readonly<Record<RegistryTrouble, string>> = {
  "credentials wanted": "log in with docker login or podman login, or give --user and --password-stdin",
  "credentials refused": "log in again, or give --user and --password-stdin",
  "unknown authority":
    "name the certificate of its authority with --ca, or trust it unseen with --skip-verify",
  "wrong name": "use the name in the certificate, or trust it unseen with --skip-verify",
  "certificate expired": "it has to be renewed, unless the clock of this machine is wrong",
  "client certificate wanted": "name yours with --cert and --key, or in the registry's folder of certs.d",
  "speaks http": "allow that with --plain-http",
  "speaks https": "leave out --plain-http",
  "rate limited": "wait, or log in for a higher limit",
  "schema 1": "push it again with a docker of after 2016",
};

/** The hint for an error of a registry, told by its shape as all errors; `undefined` for others. */
export function registryHint(error: unknown): string | undefined {
  return error instanceof Error && "trouble" in error ? hints[error.trouble as RegistryTrouble] : undefined;
}
