/** What shells need to complete davit's command lines: they ask `davit __complete`, see complete.ts. */

/** The shells that there is a script for. */
export const shells = ["bash", "zsh", "fish"] as const;

/** The script for each shell. */
export const scripts: Readonly<Record<typeof shells[number], string>> = {
  bash: `# Completion of davit for bash 4 and newer.
_davit() {
  local line="\${COMP_LINE:0:\${COMP_POINT:-0}}" kind file
  [[ -n $line ]] || line="\${COMP_WORDS[*]:0:COMP_CWORD + 1}"
  mapfile -t COMPREPLY < <(davit __complete bash "$COMP_WORDBREAKS" "$line" 2>/dev/null)
  kind="\${COMPREPLY[0]-}"
  COMPREPLY=("\${COMPREPLY[@]:1}")
  [[ $kind == files ]] || return 0
  compopt -o filenames 2>/dev/null
  while IFS= read -r file; do
    COMPREPLY+=("$file")
  done < <(compgen -f -- "\${2-\${COMP_WORDS[COMP_CWORD]}}")
}
complete -F _davit davit
`,

  zsh: `#compdef davit
# Completion of davit for zsh.
_davit() {
  local -a reply before
  local kind
  (( CURRENT > 2 )) && before=("\${(@Q)words[2,CURRENT-1]}")
  reply=("\${(@f)$(davit __complete zsh -- "\${before[@]}" "\${(Q)PREFIX}" 2>/dev/null)}")
  kind=$reply[1]
  shift reply
  local found=1
  (( $#reply )) && _describe -t davit 'davit' reply && found=0
  if [[ $kind == files ]]; then
    compset -P '--*='
    _files && found=0
  fi
  return found
}
if [[ $funcstack[1] == _davit ]]; then
  _davit "$@"
else
  compdef _davit davit
fi
`,

  fish: `# Completion of davit for fish.
function __davit_complete
    set -l before (commandline -opc)
    set -l token (commandline -ct)
    set -l current (string unescape -- $token; or string replace -r '^["\\']' '' -- $token)
    set -l reply (davit __complete fish -- $before[2..-1] "$current" 2>/dev/null)
    if test "$reply[1]" = files
        set -l flag (string match -r -- '^--[^=]*=' "$current")
        __fish_complete_path (string replace -- "$flag" '' "$current") | string replace -r -- '^' "$flag"
    end
    if set -q reply[2]
        printf '%s\\n' $reply[2..-1]
    end
end
complete -c davit -f -a '(__davit_complete)'
`,
};
