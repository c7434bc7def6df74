import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import {
  ContainerdError,
  containerdError,
  type ErrorDetails,
  OutcomeUnknownError,
  UnavailableError,
} from "../../lib/errors.ts";

const details: ErrorDetails = {
  code: "not_found",
  reason: "not found",
  outcome: "refused",
  action: "delete",
  resource: 'image "x"',
  namespace: "default",
  method: "containerd.services.images.v1.Images/Delete",
};

Deno.test("containerdError() says what could not be done, to what, where and why", () => {
  assertEquals(containerdError(details).message, 'Cannot delete image "x" in namespace "default": not found');
  const { resource: _, ...withoutResource } = details;
  assertEquals(
    containerdError({ ...withoutResource, action: "list images" }).message,
    'Cannot list images in namespace "default": not found',
  );
  const { namespace: __, ...withoutNamespace } = details;
  assertEquals(containerdError(withoutNamespace).message, 'Cannot delete image "x": not found');
  assertEquals(
    containerdError({ ...details, namespace: "a\x1b\u202eb" }).message,
    'Cannot delete image "x" in namespace "a\\u001b\\u202eb": not found',
  );
});

Deno.test("containerdError() makes a class of its own of a lost answer to a write", () => {
  const lost = containerdError({
    ...details,
    code: "unavailable",
    reason: "connection lost",
    outcome: "unknown",
  });
  assertInstanceOf(lost, OutcomeUnknownError);
  assertEquals(
    lost.message,
    'Cannot delete image "x" in namespace "default": outcome unknown: connection lost',
  );
  for (const outcome of ["not sent", "refused", "no effect"] as const) {
    const error = containerdError({ ...details, code: "unavailable", reason: "connection lost", outcome });
    assertInstanceOf(error, UnavailableError);
    assert(!error.message.includes("outcome unknown"));
  }
});

Deno.test("a ContainerdError can be made again elsewhere from its details", () => {
  const error = containerdError(details);
  const copy = containerdError(structuredClone(error.details));
  assertEquals(copy.constructor, error.constructor);
  assertEquals([copy.message, copy.name, copy.details], [error.message, "NotFoundError", details]);
  assertInstanceOf(copy, ContainerdError);
});
