import { scripts, shells } from "../completion/scripts.ts";
import { defineVerb } from "../verb.ts";

export default defineVerb({
  summary: "Print a script that lets a shell complete davit's command lines",
  examples: [
    "completion bash > /etc/bash_completion.d/davit",
    "completion zsh > /usr/local/share/zsh/site-functions/_davit",
    "completion fish > /etc/fish/completions/davit.fish",
  ],
  args: [{ name: "SHELL", summary: "the shell", choices: shells }],
  run: ({ args: [shell] }) => scripts[shell as typeof shells[number]],
});
