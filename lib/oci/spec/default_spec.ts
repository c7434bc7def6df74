import { defaultCapabilities, inSets } from "./capabilities.ts";
import type { DeviceRule, RuntimeMount, RuntimeSpec } from "./runtime_spec.ts";

/**
 * The specification of a container about which nothing else is said: what containerd's own client starts from, with
 * the devices that every container may use.
 */
export function defaultSpec({ namespace, id }: { namespace: string; id: string }): RuntimeSpec {
  return {
    ociVersion: "1.0.2",
    process: {
      user: { uid: 0, gid: 0 },
      cwd: "/",
      capabilities: inSets(defaultCapabilities),
      rlimits: [{ type: "RLIMIT_NOFILE", hard: 1024, soft: 1024 }],
      noNewPrivileges: true,
    },
    root: { path: "rootfs" },
    mounts: defaultMounts(),
    linux: {
      cgroupsPath: `/${namespace}/${id}`,
      resources: { devices: defaultDeviceRules(), cpu: { shares: 1024 } },
      namespaces: ["pid", "ipc", "uts", "mount", "network"].map((type) => ({ type })),
      maskedPaths: [...maskedPaths],
      readonlyPaths: [...readonlyPaths],
    },
  };
}

function defaultMounts(): RuntimeMount[] {
  const closed = ["nosuid", "noexec", "nodev"];
  const inMemory = ["nosuid", "strictatime", "mode=755", "size=65536k"];
  const pseudoTerminals = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"];
  return [
    { destination: "/proc", type: "proc", source: "proc", options: [...closed] },
    { destination: "/dev", type: "tmpfs", source: "tmpfs", options: [...inMemory] },
    { destination: "/dev/pts", type: "devpts", source: "devpts", options: pseudoTerminals },
    {
      destination: "/dev/shm",
      type: "tmpfs",
      source: "shm",
      options: [...closed, "mode=1777", "size=65536k"],
    },
    { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: [...closed] },
    { destination: "/sys", type: "sysfs", source: "sysfs", options: [...closed, "ro"] },
    { destination: "/run", type: "tmpfs", source: "tmpfs", options: [...inMemory] },
  ];
}

/** null, random, full, tty, zero, urandom, console, pseudo-terminals and their multiplexer. */
function defaultDeviceRules(): DeviceRule[] {
  const usual: [number, number?][] = [[1, 3], [1, 8], [1, 7], [5, 0], [1, 5], [1, 9], [5, 1], [136], [5, 2]];
  return [
    { allow: false, access: "rwm" },
    ...usual.map(([major, minor]) => ({
      allow: true,
      type: "c",
      major,
      ...(minor !== undefined && { minor }),
      access: "rwm",
    })),
  ];
}

/** What tells about the host or lets change it. */
const maskedPaths = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/sys/firmware",
  "/sys/devices/virtual/powercap",
];

const readonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];
