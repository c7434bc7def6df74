import { assertEquals } from "@std/assert";
import { containerLabels } from "../../../lib/oci/container_labels.ts";

Deno.test("containerLabels() keeps the labels of an image but those that mean something to others", () => {
  const labels = {
    "org.opencontainers.image.title": "web",
    owner: "ci",
    "containerd.io/restart.status": "running",
    "containerd.io/restart.loguri": "binary:///bin/sh",
    "io.containerd.image.config.stop-signal": "9",
    "io.cri-containerd.kind": "container",
    long: "x".repeat(4096),
    empty: "",
  };
  assertEquals(containerLabels(labels), { "org.opencontainers.image.title": "web", owner: "ci" });
});
