/** Names that containerd takes for an image, a lease or an ingest, and that break what handles them carelessly. */
export const hostileNames: readonly string[] = [
  "two\nlines",
  "\x1b[31mred\x1b[0m",
  "nul\0byte",
  'quo"ted\\',
  "100%25 %s %zz",
  "../../etc/passwd",
  "żółć 日本語 🚢",
  "\u202eesrever",
  "x".repeat(77),
];
