/** What users of ctr and its relatives type, and what davit has instead. */
export const habits: ReadonlyMap<string, string> = new Map([
  ["-v", "davit has --version"],
  ["--format", "davit has -o json, and others: see --output"],
  ["--json", "davit has -o json"],
  ["--local", "davit needs no --local: there is one way only"],
  ["--no-trunc", "davit never truncates"],
  ["--tlscacert", "davit has --ca"],
  ["--tlscert", "davit has --cert"],
  ["--tlskey", "davit has --key"],
  ["--print-chainid", "davit always prints it"],
  ["--max-concurrent-uploaded-layers", "davit has --max-concurrent-uploads"],
]);
