import { assertEquals } from "@std/assert";
import { buildSteps } from "../../../lib/image/history.ts";
import type { Descriptor } from "../../../lib/oci/descriptor.ts";

const layer = (size: number): Descriptor => ({
  mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
  digest: `sha256:${String(size).repeat(64)}`,
  size,
});
const step = (createdBy: string, emptyLayer = false) => ({ createdBy, emptyLayer });
const pairs = (steps: ReturnType<typeof buildSteps>) =>
  steps.map(({ createdBy, size, digest }) => [createdBy, size, digest?.at(-1)]);

Deno.test("buildSteps() gives layers to the steps that made them, the last step first", () => {
  const history = [step("ADD"), step("ENV", true), step("RUN")];
  assertEquals(pairs(buildSteps({ history }, [layer(1), layer(2)])), [
    ["RUN", 2, "2"],
    ["ENV", 0, undefined],
    ["ADD", 1, "1"],
  ]);
});

Deno.test("buildSteps() leaves out what it cannot know when history and layers differ", () => {
  assertEquals(pairs(buildSteps({ history: [] }, [layer(1), layer(2)])), [
    [undefined, 2, "2"],
    [undefined, 1, "1"],
  ]);
  assertEquals(pairs(buildSteps({ history: [step("ADD"), step("RUN")] }, [layer(1)])), [
    ["RUN", undefined, undefined],
    ["ADD", 1, "1"],
  ]);
});
