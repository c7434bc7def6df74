/** Which system calls a container may make: containerd's default profile, as version 2 has it. */

/**
 * A seccomp profile in the words of the runtime specification; other members are kept as they are.
 *
 * @see {@link https://github.com/opencontainers/runtime-spec/blob/v1.2.0/config-linux.md#seccomp}
 */
export interface SeccompProfile {
  /** What becomes of a call that no rule is about: `SCMP_ACT_ERRNO`, … */
  defaultAction: string;
  /** Whose system calls it may make besides the machine's own: `SCMP_ARCH_X86`. */
  architectures?: string[];
  /** The calls for which something else than `defaultAction` holds. */
  syscalls?: SeccompRule[];
  /** Others, as they are. */
  [member: string]: unknown;
}

/** What becomes of some system calls, with certain arguments only if there are any. */
export interface SeccompRule {
  /** System calls: `openat`; those that the runtime does not know are passed over. */
  names: string[];
  /** What becomes of them: `SCMP_ACT_ALLOW`, `SCMP_ACT_ERRNO`, … */
  action: string;
  /** The error number with which `SCMP_ACT_ERRNO` answers. Default: that of EPERM. */
  errnoRet?: number;
  /** What the arguments have to be like. Default: anything. */
  args?: SeccompArgument[];
}

/** A comparison with the argument at an index; with `SCMP_CMP_MASKED_EQ` the value is the mask. */
export interface SeccompArgument {
  /** Which argument, from 0 on. */
  index: number;
  /** What it is compared with. */
  value: number;
  /** With `SCMP_CMP_MASKED_EQ`, what the masked argument has to be. */
  valueTwo?: number;
  /** The comparison: `SCMP_CMP_EQ`, `SCMP_CMP_MASKED_EQ`, … */
  op: string;
}

/** For anybody, with any arguments. */
const always = words(`
  _llseek _newselect accept accept4 access adjtimex alarm bind brk cachestat capget capset chdir chmod
  chown chown32 clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime
  clock_gettime64 clock_nanosleep clock_nanosleep_time64 close close_range connect copy_file_range creat
  dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait
  epoll_wait_old eventfd eventfd2 execve execveat exit exit_group faccessat faccessat2 fadvise64
  fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl
  fcntl64 fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs
  fstatfs64 fsync ftruncate ftruncate64 futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake
  futimesat get_robust_list get_thread_area getcpu getcwd getdents getdents64 getegid getegid32 geteuid
  geteuid32 getgid getgid32 getgroups getgroups32 getitimer getpeername getpgid getpgrp getpid getppid
  getpriority getrandom getresgid getresgid32 getresuid getresuid32 getrlimit getrusage getsid getsockname
  getsockopt gettid gettimeofday getuid getuid32 getxattr inotify_add_watch inotify_init inotify_init1
  inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit
  ioctl ioprio_get ioprio_set ipc kill landlock_add_rule landlock_create_ruleset landlock_restrict_self
  lchown lchown32 lgetxattr link linkat listen listxattr llistxattr lremovexattr lseek lsetxattr lstat
  lstat64 madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mkdir mkdirat mknod
  mknodat mlock mlock2 mlockall mmap mmap2 mprotect mq_getsetattr mq_notify mq_open mq_timedreceive
  mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink mremap msgctl msgget msgrcv msgsnd
  msync munlock munlockall munmap name_to_handle_at nanosleep newfstatat open openat openat2 pause
  pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll ppoll_time64 prctl
  pread64 preadv preadv2 prlimit64 process_mrelease pselect6 pselect6_time64 pwrite64 pwritev pwritev2
  read readahead readlink readlinkat readv recv recvfrom recvmmsg recvmmsg_time64 recvmsg remap_file_pages
  removexattr rename renameat renameat2 restart_syscall rmdir rseq rt_sigaction rt_sigpending
  rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64
  rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr
  sched_getparam sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity
  sched_setattr sched_setparam sched_setscheduler sched_yield seccomp select semctl semget semop
  semtimedop semtimedop_time64 send sendfile sendfile64 sendmmsg sendmsg sendto set_robust_list
  set_thread_area set_tid_address setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups
  setgroups32 setitimer setpgid setpriority setregid setregid32 setresgid setresgid32 setresuid
  setresuid32 setreuid setreuid32 setrlimit setsid setsockopt setuid setuid32 setxattr shmat shmctl shmdt
  shmget shutdown sigaltstack signalfd signalfd4 sigprocmask sigreturn socketcall socketpair splice stat
  stat64 statfs statfs64 statx symlink symlinkat sync sync_file_range syncfs sysinfo tee tgkill time
  timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64
  timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64 times tkill truncate
  truncate64 ugetrlimit umask uname unlink unlinkat utime utimensat utimensat_time64 utimes vfork vmsplice
  wait4 waitid waitpid write writev
`);

/** The names of those that follow from a capability. */
const byCapability: ReadonlyMap<string, string[]> = new Map(
  Object.entries({
    CAP_DAC_READ_SEARCH: "open_by_handle_at",
    CAP_SYS_ADMIN:
      "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie mount mount_setattr move_mount " +
      "open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog umount umount2 unshare",
    CAP_SYS_BOOT: "reboot",
    CAP_SYS_CHROOT: "chroot",
    CAP_SYS_MODULE: "delete_module init_module finit_module",
    CAP_SYS_PACCT: "acct",
    CAP_SYS_PTRACE: "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace",
    CAP_SYS_RAWIO: "iopl ioperm",
    CAP_SYS_TIME: "settimeofday stime clock_settime clock_settime64",
    CAP_SYS_TTY_CONFIG: "vhangup",
    CAP_SYS_NICE: "get_mempolicy mbind set_mempolicy set_mempolicy_home_node",
    CAP_SYSLOG: "syslog",
    CAP_BPF: "bpf",
    CAP_PERFMON: "perf_event_open",
  }).map(([capability, names]) => [capability, words(names)]),
);

/** What is particular to a machine, by Deno's name for it; its modes come in the order that containerd has. */
const byMachine: ReadonlyMap<string, { architectures: string[]; names: string[] }> = new Map([
  ["x86_64", { architectures: ["X86_64", "X86", "X32"], names: ["arch_prctl", "modify_ldt"] }],
  ["aarch64", {
    architectures: ["ARM", "AARCH64"],
    names: words("arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls"),
  }],
]);

const vsock = 40;

/** How programs that want another personality than Linux' own may be run: as of System V, or with fixed addresses. */
const personalities = [0x0, 0x8, 0x20000, 0x20008, 0xffff_ffff];

/** The flags of clone(2) for namespaces: mount, UTS, IPC, user, PID, network, control group. */
const namespaceFlags = 0x7e02_0000;

const ENOSYS = 38;

/**
 * The profile for a container with these capabilities.
 *
 * @throws {RangeError} when none is known for the machine.
 */
export function defaultSeccomp(
  { capabilities, machine = Deno.build.arch }: { capabilities: readonly string[]; machine?: string },
): SeccompProfile {
  const own = byMachine.get(machine);
  if (!own) throw new RangeError(`Cannot confine a container: there is no seccomp profile for ${machine}`);
  const given = capabilities.flatMap((capability) => byCapability.get(capability) ?? []);
  const syscalls = [
    // Tracing is safe from Linux 4.8 on.
    allow([...always, "process_vm_readv", "process_vm_writev", "ptrace", ...own.names, ...given]),
    allow(["socket"], { index: 0, value: vsock, op: "SCMP_CMP_NE" }),
    ...personalities.map((value) => allow(["personality"], { index: 0, value, op: "SCMP_CMP_EQ" })),
  ];
  if (!capabilities.includes("CAP_SYS_ADMIN")) {
    syscalls.push(
      allow(["clone"], { index: 0, value: namespaceFlags, op: "SCMP_CMP_MASKED_EQ" }),
      // Its flags cannot be seen; with this answer, C libraries fall back to clone.
      { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: ENOSYS },
    );
  }
  return {
    defaultAction: "SCMP_ACT_ERRNO",
    architectures: own.architectures.map((name) => `SCMP_ARCH_${name}`),
    syscalls,
  };
}

function allow(names: readonly string[], ...args: SeccompArgument[]): SeccompRule {
  return {
    names: [...new Set(names)].sort(),
    action: "SCMP_ACT_ALLOW",
    ...(args.length > 0 && { args }),
  };
}

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}
