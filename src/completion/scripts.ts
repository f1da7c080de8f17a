/** What a shell runs at the press of a key: it asks `servefit __complete` with the words so far. */

const BASH = `# Completion of servefit for bash 3.2 and later.
# For this shell:   source <(servefit completion bash)
# For all of them:  servefit completion bash > ~/.local/share/bash-completion/completions/servefit
_servefit() {
  local line=\${COMP_LINE:0:COMP_POINT} words=() current prefix= reply entry
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  current=\${words[\${#words[@]}-1]}
  COMPREPLY=()
  # bash puts in only what comes after its last word break.
  case $current in *[=:]*) prefix=\${current%"\${current##*[=:]}"} ;; esac
  reply=$("\${words[0]}" __complete "\${words[@]:1}" 2> /dev/null) || return 0
  case $reply in
    :files) while IFS= read -r entry; do COMPREPLY+=("$entry"); done < <(compgen -f -- "\${current#"$prefix"}") ;;
    :folders) while IFS= read -r entry; do COMPREPLY+=("$entry"); done < <(compgen -d -- "\${current#"$prefix"}") ;;
    ?*) while IFS= read -r entry; do entry=\${entry%%$'\\t'*}; COMPREPLY+=("\${entry#"$prefix"}"); done <<< "$reply" ;;
  esac
}
complete -o filenames -F _servefit servefit 2> /dev/null || complete -F _servefit servefit
`

const ZSH = `#compdef servefit
# Completion of servefit for zsh.
# For this shell:   source <(servefit completion zsh)
# For all of them:  servefit completion zsh > a folder of $fpath, as _servefit
_servefit() {
  local -a lines candidates
  local line value description
  lines=("\${(@f)$("\${(Q)words[1]}" __complete "\${(@Q)words[2,CURRENT]}" 2> /dev/null)}")
  case \${lines[1]-} in
    :files) _files; return ;;
    :folders) _files -/; return ;;
    '') return 1 ;;
  esac
  for line in $lines; do
    value=\${line%%$'\\t'*}
    description=
    [[ $line == *$'\\t'* ]] && description=\${line#*$'\\t'}
    candidates+=("\${value//:/\\\\:}\${description:+:$description}")
  done
  _describe -V servefit candidates
}
if [[ \${funcstack[1]-} == _servefit ]]; then _servefit "$@"; else compdef _servefit servefit; fi
`

const FISH = `# Completion of servefit for fish.
# For this shell:   servefit completion fish | source
# For all of them:  servefit completion fish > ~/.config/fish/completions/servefit.fish
function __servefit_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    test (count $current) -eq 0; and set current ''
    set -l lines ($words[1] __complete $words[2..-1] $current 2>/dev/null)
    switch "$lines[1]"
        case ':files'
            __fish_complete_path $current
        case ':folders'
            __fish_complete_directories $current ''
        case '*'
            printf '%s\\n' $lines
    end
end
complete -c servefit -e
complete -c servefit -f -a '(__servefit_complete)'
`

export const COMPLETION_SCRIPTS: Readonly<Record<'bash' | 'zsh' | 'fish', string>> = {bash: BASH, zsh: ZSH, fish: FISH}
