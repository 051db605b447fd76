import type { CommandOutline, OptionOutline, Place, Shell } from "./outline.js";

/** The completion script of one shell. */
export function scriptFor(shell: Shell, commands: readonly CommandOutline[]): string {
  switch (shell) {
    case "bash":
      return bash(commands);
    case "zsh":
      return zsh(commands);
    case "fish":
      return fish(commands);
  }
}

/** In single quotes, for all three. */
const quoted = (text: string): string => `'${text.replaceAll("\\", "").replaceAll("'", "’")}'`;
const lastOf = (places: readonly Place[]): Place => places.at(-1) ?? { kind: "free", name: "" };

/** A party's folder has one of these in it. */
const PARTY_FILES = ["channel.json", "keys.json"] as const;

function bash(commands: readonly CommandOutline[]): string {
  const complete = (place: Place): string => {
    switch (place.kind) {
      case "words":
        return `_chankit_words ${quoted(place.words.join(" "))}`;
      case "party":
        return "_chankit_party";
      case "file":
        return "_chankit_file";
      case "free":
        return ":";
    }
  };
  const ofCommand = ({ name, options, places }: CommandOutline): string => {
    const values = options.flatMap((option) => (option.value === null ? [] : [`        ${option.name}) ${complete(option.value)}; return ;;`]));
    const at = [...places.map((place, index) => `        ${index}) ${complete(place)} ;;`), `        *) ${complete(lastOf(places))} ;;`];
    return `    ${name})
      case "$previous" in
${values.join("\n")}
        -o) _chankit_file; return ;;
      esac
      if [[ $current == -* ]]; then _chankit_words ${quoted(options.map((option) => option.name).join(" "))}; return; fi
      case "$place" in
${at.join("\n")}
      esac ;;`;
  };
  return `# bash completion for chankit: eval "$(chankit completion bash)"

_chankit_words() { COMPREPLY=($(compgen -W "$1" -- "$current")); }

_chankit_file() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen -f -- "$current"))
  compopt -o filenames
}

# Party folders, and folders on the way to one
_chankit_party() {
  local folder IFS=$'\\n'
  COMPREPLY=()
  for folder in $(compgen -d -- "$current"); do
    if [[ ${PARTY_FILES.map((file) => `-e $folder/${file}`).join(" || ")} ]]; then COMPREPLY+=("$folder")
    elif compgen -G "$folder/*/" > /dev/null; then COMPREPLY+=("$folder/"); compopt -o nospace
    fi
  done
  compopt -o filenames
}

_chankit() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command= place=0 at
  for ((at = 1; at < COMP_CWORD; at++)); do
    [[ \${COMP_WORDS[at]} == -* ]] && continue
    if [[ -z $command ]]; then command=\${COMP_WORDS[at]}; else place=$((place + 1)); fi
  done
  case "$command" in
    "") _chankit_words ${quoted(commands.map(({ name }) => name).join(" "))} ;;
${commands.map(ofCommand).join("\n")}
  esac
}

complete -F _chankit chankit
`;
}

function zsh(commands: readonly CommandOutline[]): string {
  const text = (words: string): string =>
    words.replaceAll("\\", "").replaceAll("'", "’").replaceAll("[", "(").replaceAll("]", ")").replaceAll(":", "\\:").replaceAll("`", "");
  const complete = (place: Place): string => {
    switch (place.kind) {
      case "words":
        return `word:(${place.words.join(" ")})`;
      case "party":
        return "party:_chankit_party";
      case "file":
        return "file:_files";
      case "free":
        return `${text(place.name)}: `;
    }
  };
  const ofOption = ({ name, help, value }: OptionOutline): string => `'${name}[${text(help)}]${value === null ? "" : `:${complete(value)}`}'`;
  const ofCommand = ({ name, options, places }: CommandOutline): string => {
    const args = [
      ...places.map((place, index) => `'${index + 1}:${complete(place)}'`),
      ...(places.length === 0 ? [] : [`'*:${complete(lastOf(places))}'`]),
    ];
    return `    ${name}) _arguments -s ${[...options.map(ofOption), "'-o[write the result to a file]:file:_files'", ...args].join(" \\\n        ")} ;;`;
  };
  return `#compdef chankit
# zsh completion for chankit: save as _chankit in a folder of fpath

_chankit_party() {
  local -a folders
  folders=(\${~PREFIX}*(N/e:'[[ ${PARTY_FILES.map((file) => `-e $REPLY/${file}`).join(" || ")} ]]':))
  if (( $#folders )); then compadd -f -- $folders; else _files -/; fi
}

_chankit() {
  if (( CURRENT == 2 )); then
    local -a commands
    commands=(
${commands.map(({ name, summary }) => `      '${name}:${text(summary)}'`).join("\n")}
    )
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT -= 1 ))
  case $command in
${commands.map(ofCommand).join("\n")}
  esac
}

if [[ $funcstack[1] == _chankit ]]; then _chankit "$@"; else compdef _chankit chankit; fi
`;
}

function fish(commands: readonly CommandOutline[]): string {
  const complete = (place: Place): string => {
    switch (place.kind) {
      case "words":
        return `-xa ${quoted(place.words.join(" "))}`;
      case "party":
        return "-xa '(__chankit_parties)'";
      case "file":
        return "-rF";
      case "free":
        return "-x";
    }
  };
  const lines = commands.flatMap(({ name, summary, options, places }) => {
    const seen = `-n '__fish_seen_subcommand_from ${name}'`;
    return [
      `complete -c chankit -n __fish_use_subcommand -fa ${name} -d ${quoted(summary)}`,
      ...options.map(
        (option) =>
          `complete -c chankit ${seen} -l ${option.name.slice(2)}${option.name === "--output" ? " -s o" : ""} -d ${quoted(option.help)}${option.value === null ? "" : ` ${complete(option.value)}`}`,
      ),
      ...[...new Map(places.map((place) => [place.kind, place])).values()].flatMap((place) => {
        if (place.kind === "free") return [];
        return [`complete -c chankit ${seen} ${place.kind === "file" ? "-F" : complete(place).replace("-xa", "-fa")}`];
      }),
    ];
  });
  return `# fish completion for chankit: save as ~/.config/fish/completions/chankit.fish

function __chankit_parties
    for folder in (commandline -ct)*/
        if ${PARTY_FILES.map((file) => `test -e {$folder}${file}`).join("; or ")}
            string trim -rc / $folder
        end
    end
end

complete -c chankit -f
${lines.join("\n")}
`;
}
