/** What only a host of plugins and verbs needs, and the public API does not show: transports and their decorators. */
export { closeInspector } from "./inspector.ts";
export { ownerLabels, ownerOf } from "./lease_owner.ts";
export { simulated, type SimulationEvents } from "./transport/dry_run.ts";
export { codes } from "./transport/failure.ts";
export { closeNow, Flood, sizeOf } from "./transport/flood.ts";
export { guarded } from "./transport/guard.ts";
export { MessagePortTransport } from "./transport/message_port.ts";
export { methodsByName } from "./transport/methods.ts";
export { type Lack, type Policy, restricted } from "./transport/policy.ts";
export { servePort } from "./transport/port_server.ts";
export { openSocket, type SocketOptions } from "./transport/socket.ts";
export { traced, type TracedCall } from "./transport/trace.ts";
export type { Transport } from "./transport/transport.ts";
