import { assertEquals, assertThrows } from "@std/assert";
import { defaultSeccomp } from "../../../../lib/oci/spec/seccomp.ts";

/** Whether a profile has a rule that lets everybody make a call, whatever its arguments. */
function allows(profile: ReturnType<typeof defaultSeccomp>, name: string): boolean {
  return profile.syscalls!.some(({ names, action, args }) =>
    action === "SCMP_ACT_ALLOW" && args === undefined && names.includes(name)
  );
}

Deno.test("defaultSeccomp() allows what follows from capabilities, and no more", () => {
  const plain = defaultSeccomp({ capabilities: [], machine: "x86_64" });
  assertEquals(plain.defaultAction, "SCMP_ACT_ERRNO");
  for (const name of ["mount", "reboot", "bpf", "clone", "clone3", "socket", "io_uring_setup", "keyctl"]) {
    assertEquals(allows(plain, name), false, name);
  }
  assertEquals(plain.syscalls!.find(({ names }) => names.includes("clone3"))!.errnoRet, 38);
  const admin = defaultSeccomp({ capabilities: ["CAP_SYS_ADMIN", "CAP_SYS_BOOT"], machine: "x86_64" });
  for (const name of ["mount", "reboot", "clone", "clone3"]) assertEquals(allows(admin, name), true, name);
  assertEquals(admin.syscalls!.some(({ errnoRet }) => errnoRet !== undefined), false);
});

Deno.test("defaultSeccomp() knows two machines, and refuses to confine on others", () => {
  const arm = defaultSeccomp({ capabilities: [], machine: "aarch64" });
  assertEquals(arm.architectures, ["SCMP_ARCH_ARM", "SCMP_ARCH_AARCH64"]);
  assertEquals(["set_tls", "arch_prctl", "openat"].map((name) => allows(arm, name)), [true, false, true]);
  assertThrows(() => defaultSeccomp({ capabilities: [], machine: "riscv64" }), RangeError, "riscv64");
});
