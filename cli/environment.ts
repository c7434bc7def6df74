/** The environment variables that davit reads, for the documentation. */
export const environment: readonly { name: string; summary: string }[] = [
  { name: "CONTAINERD_ADDRESS", summary: "containerd's socket, where --address does not name one" },
  { name: "CONTAINERD_NAMESPACE", summary: "the namespace to work in, where --namespace does not name one" },
  {
    name: "CONTAINERD_SNAPSHOTTER",
    summary: "the snapshotter, where no flag names one; else the one that the namespace has by default",
  },
  {
    name: "DAVIT_CACHE_DIR",
    summary:
      "where the portable file unpacks itself; else under /var/cache for root, $XDG_CACHE_HOME for others",
  },
  {
    name: "DAVIT_CONFIG",
    summary: "the only configuration file; else /etc/davit/config.toml and the user's own",
  },
  { name: "DAVIT_PLUGIN_PATH", summary: "folders of plugins, separated by colons" },
  { name: "DAVIT_TRANSPORT", summary: "grpc: send every call through grpc-js" },
  {
    name: "DOCKER_CONFIG",
    summary: "the folder of docker's config.json, with what docker login left; else ~/.docker",
  },
  { name: "HOME", summary: "where configuration, plugins and logins are, if nothing else says where" },
  {
    name: "HTTPS_PROXY",
    summary:
      "the proxy for registries over https, except those that NO_PROXY names; HTTP_PROXY for the others",
  },
  { name: "NO_COLOR", summary: "if not empty: no colours" },
  {
    name: "REGISTRY_AUTH_FILE",
    summary: "the only file with logins for registries, if not those that docker and podman have",
  },
  { name: "TERM", summary: "dumb: no colours and no lines that change" },
  { name: "XDG_CACHE_HOME", summary: "where the portable file unpacks itself for others than root" },
  {
    name: "XDG_CONFIG_HOME",
    summary: "where davit/config.toml and davit/plugins are, and podman keeps logins; else in ~/.config",
  },
  {
    name: "XDG_RUNTIME_DIR",
    summary:
      "where locks are, else in /run/davit; podman's logins; the portable file unpacks itself there if nowhere else",
  },
];
