/** What users of ctr and its relatives type, and what davit has instead. */
export const habits: ReadonlyMap<string, string> = new Map([
  ["-v", "davit has --version"],
  ["-a", "-a is --address; lists show all there is, stopped or not"],
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

/** What docker and its relatives do and davit does not, and what to do instead. */
export const strange: ReadonlyMap<string, string> = new Map([
  ["build", "davit builds nothing: docker buildx, buildctl or buildah make archives for davit images import"],
  ["compose", "davit starts one container at a time: see davit run"],
  ["cp", "in a running container: davit tasks exec ID tar -c PATH; of an image: davit images mount"],
  ["diff", "davit snapshots diff has what a container changed"],
  ["login", "davit uses what docker login or podman login left, or takes --user and --password-stdin"],
  ["logout", "davit keeps no logins: docker logout or podman logout"],
  ["network", "containers have the host's network (--net-host) or none: davit has no CNI"],
  ["rename", "containers keep their names; images have davit images tag"],
  ["restart", "davit tasks kill ID, then davit tasks start ID"],
  ["search", "registries are searched in their web pages: davit pulls what is named in full"],
  ["volume", "there are no volumes: davit run --mount type=bind,source=…,destination=…"],
]);

/** What users of docker and its relatives type first, and the words for it here. */
export const docker: ReadonlyMap<string, string> = new Map([
  ["attach", "tasks attach"],
  ["commit", "snapshots commit"],
  ["copy", "images copy"],
  ["create", "containers create"],
  ["exec", "tasks exec"],
  ["export", "images export"],
  ["history", "images history"],
  ["import", "images import"],
  ["inspect", 'images inspect" or "containers info'],
  ["kill", "tasks kill"],
  ["load", "images import"],
  ["ls", 'images list" or "containers list'],
  ["pause", "tasks pause"],
  ["push", "images push"],
  ["resume", "tasks resume"],
  ["rm", "containers remove"],
  ["rmi", "images remove"],
  ["save", "images export"],
  ["start", "tasks start"],
  ["stats", "tasks metrics"],
  ["stop", "tasks kill"],
  ["tag", "images tag"],
  ["top", "tasks ps"],
  ["unpause", "tasks resume"],
  ["wait", "tasks wait"],
]);
