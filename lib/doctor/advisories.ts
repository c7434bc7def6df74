/** A known hole of containerd. */
export interface Advisory {
  /** The CVE, or where there is none the advisory's own id. */
  id: string;
  /** Its page is at `github.com/containerd/containerd/security/advisories/`. */
  advisory: string;
  /** What it lets happen. */
  what: string;
  /** The first release that has it; absent where it is as old as containerd. */
  since?: string;
  /** The first release of each series without it. Series that ended before are not among them. */
  fixedIn: readonly string[];
  /** Whether it is in the plugin for Kubernetes, so that who runs without that need not care. */
  inCri?: true;
  /** The packages of Debian that fixed it in an older version. */
  debian?: readonly string[];
}

/**
 * The known holes of the supported series, the newest first.
 *
 * Fixed versions are those of the advisories and of containerd's release notes, packages those of Debian's changelogs.
 */
export const advisories: readonly Advisory[] = [
  {
    id: "CVE-2026-53495",
    advisory: "GHSA-7jxh-36q5-gcqv",
    what: "probes and hooks that leave processes behind fill the memory of containerd",
    fixedIn: ["1.7.35", "2.0.12", "2.2.8", "2.3.5"],
    inCri: true,
  },
  {
    id: "CVE-2026-53488",
    advisory: "GHSA-xhf5-7wjv-pqxp",
    what:
      "labels of an image's config reach containers, where the restart monitor runs programs as root for them",
    fixedIn: ["1.7.33", "2.0.10", "2.1.9", "2.2.5", "2.3.2"],
    inCri: true,
  },
  {
    id: "CVE-2026-53492",
    advisory: "GHSA-33vj-92qq-66hc",
    what: "a checkpoint brings devices and mounts of the host into the container that is restored from it",
    since: "2.1.0",
    fixedIn: ["2.1.9", "2.2.5", "2.3.2"],
    inCri: true,
  },
  {
    id: "CVE-2026-53489",
    advisory: "GHSA-rgh6-rfwx-v388",
    what: "a checkpoint with a link in it shows files of the host as a container's log",
    since: "2.1.0",
    fixedIn: ["2.1.9", "2.2.5", "2.3.2"],
    inCri: true,
  },
  {
    id: "CVE-2026-50195",
    advisory: "GHSA-cvxm-645q-p574",
    what: "a checkpoint puts an image of its choice under any name, for others to run",
    since: "2.1.0",
    fixedIn: ["2.1.9", "2.2.5", "2.3.2"],
    inCri: true,
  },
  {
    id: "CVE-2026-47262",
    advisory: "GHSA-jpcc-p29g-p8mq",
    what: "an image with a huge file of groups fills the memory of whoever makes a container from it",
    fixedIn: ["1.7.33", "2.0.10", "2.1.9", "2.2.5", "2.3.2"],
  },
  {
    id: "CVE-2026-46680",
    advisory: "GHSA-fqw6-gf59-qr4w",
    what: "an image whose user is a number of more than 32 bits runs as root",
    fixedIn: ["1.7.32", "2.0.9", "2.1.8", "2.2.4", "2.3.1"],
  },
  {
    id: "CVE-2025-64329",
    advisory: "GHSA-m6hq-p25p-ffr2",
    what: "attaching to containers again and again fills the memory of containerd",
    fixedIn: ["1.7.29", "2.0.7", "2.1.5", "2.2.0"],
    inCri: true,
    debian: ["1.6.20~ds1-1+deb12u3", "1.7.24~ds1-6+deb13u1"],
  },
  {
    id: "CVE-2024-25621",
    advisory: "GHSA-pwhc-rpq9-4c8w",
    what: "every user of this machine can look into containerd's folders",
    fixedIn: ["1.7.29", "2.0.7", "2.1.5", "2.2.0"],
    debian: ["1.6.20~ds1-1+deb12u2", "1.7.24~ds1-6+deb13u1"],
  },
  {
    id: "CVE-2025-47290",
    advisory: "GHSA-cm76-qm8v-3j95",
    what: "an image can change files of the host while it is unpacked",
    since: "2.1.0",
    fixedIn: ["2.1.1"],
  },
  {
    id: "CVE-2025-47291",
    advisory: "GHSA-cxfp-7pvr-95ff",
    what: "containers in user namespaces escape the limits of their pods",
    since: "2.0.1",
    fixedIn: ["2.0.5"],
    inCri: true,
  },
  {
    id: "CVE-2024-40635",
    advisory: "GHSA-265r-hfxg-fhmg",
    what: "an image whose user is a number of more than 31 bits may run as root",
    fixedIn: ["1.6.38", "1.7.27", "2.0.4"],
    debian: ["1.6.20~ds1-1+deb12u2", "1.7.24~ds1-6"],
  },
  {
    id: "GHSA-7ww5-4wqc-m92c",
    advisory: "GHSA-7ww5-4wqc-m92c",
    what: "containers can read the power meter of the processor, and secrets by it",
    fixedIn: ["1.6.26", "1.7.11"],
  },
  {
    id: "CVE-2023-25153",
    advisory: "GHSA-259w-8hf6-59c2",
    what: "an archive with a huge index fills the memory of whoever imports it",
    fixedIn: ["1.6.18"],
  },
  {
    id: "CVE-2023-25173",
    advisory: "GHSA-hmfx-3pcx-653p",
    what: "containers lack supplementary groups, and so get around what those are denied",
    fixedIn: ["1.6.18"],
  },
  {
    id: "CVE-2022-23471",
    advisory: "GHSA-2qjp-425j-52j9",
    what: "commands that fail to start on a terminal fill the memory of containerd",
    fixedIn: ["1.6.12"],
    inCri: true,
  },
  {
    id: "CVE-2022-31030",
    advisory: "GHSA-5ffw-gxpp-mxpf",
    what: "what a probe prints fills the memory of containerd",
    fixedIn: ["1.6.6"],
    inCri: true,
  },
  {
    id: "CVE-2022-24769",
    advisory: "GHSA-c9cp-9c75-9v8c",
    what: "programs in containers can gain capabilities that their users should not have",
    fixedIn: ["1.6.2"],
  },
  {
    id: "CVE-2022-23648",
    advisory: "GHSA-crp2-qrr5-8pq7",
    what: "an image can read any file of the host by the volumes in its config",
    fixedIn: ["1.6.1"],
    inCri: true,
  },
];
