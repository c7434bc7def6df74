/**
 * davit: containerd's namespaces, images, content, leases, snapshots, containers and tasks for TypeScript.
 *
 * @module
 */
export {
  Client,
  connect,
  type ConnectOptions,
  type NamespaceAccess,
  NamespacedClient,
} from "./lib/client.ts";
export type { CheckpointOptions } from "./lib/checkpoint_options.ts";
export { type ConcurrentOptions, mapConcurrent } from "./lib/concurrency.ts";
export type { Container, Containers, NewContainer } from "./lib/containers.ts";
export type { BlobTarget, Content, ContentInfo, Ingest, IngestTarget, Written } from "./lib/content.ts";
export type { Diff } from "./lib/diff.ts";
export { type VerifiedBlob, verifyContent, type VerifyOptions } from "./lib/content_verify.ts";
export { formatDuration, parseDuration } from "./lib/duration.ts";
export {
  AlreadyExistsError,
  ContainerdError,
  containerdError,
  DeadlineExceededError,
  type ErrorCode,
  type ErrorDetails,
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
  type Outcome,
  OutcomeUnknownError,
  PermissionDeniedError,
  UnavailableError,
  UnimplementedError,
} from "./lib/errors.ts";
export { diagnose } from "./lib/doctor/diagnose.ts";
export type { Finding, Mend, Severity } from "./lib/doctor/finding.ts";
export { mendFinding } from "./lib/doctor/mend.ts";
export type { DiagnoseOptions } from "./lib/doctor/scene.ts";
export type { Event, EventMessage, Events, NewEvent, SubscribeOptions } from "./lib/events.ts";
export { foreseeFreed, type Freed } from "./lib/gc/freed.ts";
export {
  contentKey,
  type GraphNode,
  type GraphParts,
  type GraphPath,
  ReferenceGraph,
  type Root,
  snapshotKey,
} from "./lib/gc/graph.ts";
export {
  type CollectedGarbage,
  executeCollection,
  type Garbage,
  garbageOf,
  type GarbagePlan,
  loadGraphs,
  planCollection,
} from "./lib/gc/garbage.ts";
export { abortStale, type StaleIngest, staleIngests, type Staleness } from "./lib/gc/ingests.ts";
export { deleteJudged, type JudgedLease, judgeLeases } from "./lib/gc/leases.ts";
export { digestsLike, type Keeper, keepersOf, keepersOfIngest } from "./lib/gc/keepers.ts";
export { loadGraph } from "./lib/gc/load.ts";
export {
  type CheckedImage,
  checkImage,
  checkImages,
  type CheckOptions,
  type ImageCheck,
} from "./lib/image/check.ts";
export { copyByRules, type RuleOptions, type RuleResult } from "./lib/image/copy_by_rules.ts";
export {
  copyImages,
  type CopyOptions,
  type CopyResult,
  executeCopy,
  foreseenResults,
} from "./lib/image/copy.ts";
export {
  type BlobPlan,
  type CopyPlan,
  type CopyRequest,
  type ImagePlan,
  planCopy,
  type TargetPlan,
} from "./lib/image/copy_plan.ts";
export { type ImageDiskUsage, imageDiskUsage, type ImageDiskUsageReport } from "./lib/image/disk_usage.ts";
export { type DescribedImage, describeImages, type DescribeOptions } from "./lib/image/describe.ts";
export {
  type ExportedImage,
  exportImages,
  type ExportOptions,
  type ImageArchive,
} from "./lib/image/export.ts";
export type { PlatformChoice } from "./lib/image/export_plan.ts";
export { type BuildStep, type HistoryOptions, imageHistory } from "./lib/image/history.ts";
export { importImages, type ImportOptions, type ImportResult } from "./lib/image/import.ts";
export type { ImportNames } from "./lib/image/import_names.ts";
export { type InspectedBlob, type InspectedImage, inspectImage } from "./lib/image/inspect.ts";
export {
  executePrune,
  planPrune,
  type PruneDecision,
  type PrunePlan,
  type PruneRequest,
  type PruneResult,
} from "./lib/image/prune.ts";
export type { IsAlive } from "./lib/image/pull_leases.ts";
export { pullImages, type PullOptions, type PullResult } from "./lib/image/pull.ts";
export { pushImage, type PushOptions, type PushResult } from "./lib/image/push.ts";
export { renamePrefixes } from "./lib/image/rename.ts";
export { type MountedImage, mountImage, type MountOptions, unmountImage } from "./lib/image/mount.ts";
export { NoSuchPlatformError } from "./lib/image/rootfs.ts";
export { type ImageSelection, selectImages } from "./lib/image/select.ts";
export { findImage, tagImage, type TagOptions } from "./lib/image/tag.ts";
export {
  type UnpackedLayer,
  unpackImage,
  type UnpackOptions,
  type UnpackResult,
} from "./lib/image/unpack.ts";
export { imageUsage, type ImageUsageOptions, type LayerUsage } from "./lib/image/usage.ts";
export type { Image, Images } from "./lib/images.ts";
export type { DaemonPlugin, DaemonVersion, Deprecation, Introspection, Server } from "./lib/introspection.ts";
export type { LeaseOwner } from "./lib/lease_owner.ts";
export { type RecoveredLease, recoverLeases, type RecoverOptions } from "./lib/lease_recovery.ts";
export type { HeldLease, Lease, Leases, Resource } from "./lib/leases.ts";
export {
  type DiskUsage,
  diskUsage,
  type DiskUsageReport,
  type NamespaceDiskUsage,
} from "./lib/namespace/disk_usage.ts";
export { mapNamespaces } from "./lib/namespace/map.ts";
export { findReclaimable, type Reclaimable, type ReclaimableReport } from "./lib/namespace/reclaimable.ts";
export {
  planPurge,
  purgeNamespace,
  type PurgeOptions,
  type PurgePlan,
  type PurgeResult,
} from "./lib/namespace/purge.ts";
export { removeNamespace, type RemoveNamespaceOptions } from "./lib/namespace/remove.ts";
export { type NamespaceUsage, namespaceUsage } from "./lib/namespace/usage.ts";
export type { Namespace, Namespaces } from "./lib/namespaces.ts";
export { nearest } from "./lib/nearest.ts";
export { chainIds } from "./lib/oci/chain_ids.ts";
export { type Child, children, gcLabels } from "./lib/oci/children.ts";
export { type HistoryEntry, type ImageConfig, parseConfig } from "./lib/oci/config.ts";
export {
  type Descriptor,
  type Digest,
  digestOf,
  isAttestation,
  parseDigest,
  verifyDigest,
} from "./lib/oci/descriptor.ts";
export {
  type DocumentAttributes,
  type DocumentSource,
  type ImageDocument,
  type ImageIndex,
  type ImageManifest,
  parseDocument,
} from "./lib/oci/document.ts";
export { compileGlob, isGlob } from "./lib/oci/glob.ts";
export { isConfig, isIndex, isLayer, isManifest, mediaTypes } from "./lib/oci/media_types.ts";
export { formatPlatform, hostPlatform, parsePlatform, type Platform } from "./lib/oci/platform.ts";
export { byPreference, matchesPlatform } from "./lib/oci/platform_match.ts";
export {
  formatFamiliar,
  formatReference,
  parseReference,
  type Reference,
  type ReferenceOptions,
} from "./lib/oci/reference.ts";
export { parseSignal } from "./lib/oci/signal.ts";
export { defaultSpec } from "./lib/oci/spec/default_spec.ts";
export { parseCapability } from "./lib/oci/spec/capabilities.ts";
export { checkEnvironment, parseEnvironmentFile } from "./lib/oci/spec/environment.ts";
export { type Limits, limitsOf } from "./lib/oci/spec/limits.ts";
export { parseSpecJson } from "./lib/oci/spec/json.ts";
export { parseMount } from "./lib/oci/spec/mount.ts";
export type {
  CapabilitySet,
  DeviceRule,
  RuntimeDevice,
  RuntimeLinux,
  RuntimeMount,
  RuntimeProcess,
  RuntimeResources,
  RuntimeSpec,
  RuntimeUser,
} from "./lib/oci/spec/runtime_spec.ts";
export type { SpecOptions } from "./lib/oci/spec.ts";
export type { SeccompArgument, SeccompProfile, SeccompRule } from "./lib/oci/spec/seccomp.ts";
export type {
  BooleanOption,
  Completes,
  DurationOption,
  FileOption,
  IntegerOption,
  ListOption,
  NumberOption,
  Option,
  OptionFacts,
  Options,
  OptionValue,
  OptionValues,
  SizeOption,
  StringOption,
  TextFile,
} from "./lib/options.ts";
export {
  type Access,
  type Argument,
  type Column,
  definePlugin,
  type FieldOf,
  type KnownFacts,
  type Log,
  type Plugin,
  type PluginContext,
  UsageError,
} from "./lib/plugin.ts";
export { type ItemProgress, type ItemState, itemStates, type Progress } from "./lib/progress.ts";
export { type CommandFailure, commandFailure } from "./lib/run/command_failure.ts";
export { type ContainerOptions, createContainer, type CreatedContainer } from "./lib/run/container.ts";
export type { ProcessStreams } from "./lib/run/copying.ts";
export { followTaskLog, type LogOptions } from "./lib/run/log.ts";
export type { Sink } from "./lib/run/pipe.ts";
export { attachTask, RunningProcess, type StartOptions } from "./lib/run/process.ts";
export { removeContainer, type RemoveOptions, removeTask } from "./lib/run/remove.ts";
export {
  type ExecOptions,
  execProcess,
  runContainer,
  type RunOptions,
  startContainer,
  startTask,
} from "./lib/run/run.ts";
export { type FailedAttempt, isTemporary, retry, type RetryOptions } from "./lib/retry.ts";
export { chooseImages, type ImageChoice, repositoryOf, tagOf } from "./lib/selection/choice.ts";
export { type CopyRule, parseCopyRules } from "./lib/selection/copy_rules.ts";
export { keepLast, type Kept, type NamedImage, newestByRepository } from "./lib/selection/keep_last.ts";
export { isPinned, pinLabels } from "./lib/selection/pinned.ts";
export {
  judgeImages,
  type RetentionDecision,
  type RetentionFacts,
  type RetentionRules,
} from "./lib/selection/retention.ts";
export {
  compareNatural,
  compareVersions,
  inRange,
  newestFirst,
  type SemVer,
  type TagOrder,
  type TimedTag,
  versionOf,
} from "./lib/selection/version.ts";
export { knownSandboxes, type NewSandbox, type Sandbox, type Sandboxes } from "./lib/sandboxes.ts";
export { type MeasuredSnapshot, measureSnapshots } from "./lib/snapshot_usage.ts";
export { type PackedSnapshot, packSnapshot, type SnapshotDifference } from "./lib/packed_snapshot.ts";
export {
  configCredentials,
  type Credential,
  type CredentialRequest,
  type Credentials,
  type CredentialsSource,
  fixedCredentials,
} from "./lib/registry/credentials.ts";
export { RegistryError, type RegistryErrorDetails, type RegistryTrouble } from "./lib/registry/failure.ts";
export type { HostCapability, Hosts, RegistryHost } from "./lib/registry/host.ts";
export { configuredHosts, type HostFiles } from "./lib/registry/hosts.ts";
export {
  openRegistry,
  type PushTarget,
  type Registry,
  type RegistryAnswer,
  type RegistryCallOptions,
  type RegistryOptions,
  type ResolvedReference,
} from "./lib/registry/registry.ts";
export type { RetryPolicy } from "./lib/pause.ts";
export type { Retry } from "./lib/registry/retry.ts";
export type { Upload, UploadOptions } from "./lib/registry/upload.ts";
export type { TlsSettings } from "./lib/registry/wire.ts";
export { formatSize, parseSize } from "./lib/size.ts";
export { defaultSnapshotter, loadedSnapshotters, snapshotCounts } from "./lib/snapshotters.ts";
export type {
  Mount,
  NewSnapshot,
  Snapshot,
  SnapshotKind,
  Snapshots,
  SnapshotUsage,
} from "./lib/snapshots.ts";
export type { TaskMetrics } from "./lib/task_metrics.ts";
export type {
  ContainerProcess,
  ExitStatus,
  ProcessIo,
  ProcessOptions,
  Task,
  Tasks,
  TaskStatus,
} from "./lib/tasks.ts";
export type { CallOptions } from "./lib/transport/transport.ts";
