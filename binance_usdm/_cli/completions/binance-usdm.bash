# Written from the argument parser by `make generate`. Do not edit.
_binance_usdm() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
  local path="" words="" index
  # `--output=csv` is three words.
  if [[ $current == "=" ]]; then
    current=""
  elif [[ $previous == "=" ]]; then
    previous=${COMP_WORDS[COMP_CWORD-2]}
  fi
  for ((index = 1; index < COMP_CWORD; index++)); do
    case "${path:+$path }${COMP_WORDS[index]}" in
    balance|server-time|doctor|whoami|mock|'mock serve'|'mock run'|'mock schema'|'mock scrub'|completion|contract|'contract run'|'contract client'|'contract mock'|'contract program'|'contract reply'|spec) path=${path:+$path }${COMP_WORDS[index]} ;;
    esac
  done
  COMPREPLY=()
  case "$path:$previous" in
    balance:--recv-window|balance:--base-url|balance:--proxy|balance:--timeout|balance:--profile|balance:--watch|balance:--columns|balance:--asset) return ;;
    balance:--profiles-file) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$current")); return ;;
    balance:-o|balance:--output) COMPREPLY=($(compgen -W 'table json jsonl csv tsv' -- "$current")); return ;;
    balance:--time) COMPREPLY=($(compgen -W 'ms iso' -- "$current")); return ;;
    server-time:--base-url|server-time:--proxy|server-time:--timeout|server-time:--profile|server-time:--watch|server-time:--columns) return ;;
    server-time:--profiles-file) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$current")); return ;;
    server-time:-o|server-time:--output) COMPREPLY=($(compgen -W 'table json jsonl csv tsv' -- "$current")); return ;;
    server-time:--time) COMPREPLY=($(compgen -W 'ms iso' -- "$current")); return ;;
    doctor:--base-url|doctor:--proxy|doctor:--timeout|doctor:--recv-window|doctor:--profile) return ;;
    doctor:--profiles-file) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$current")); return ;;
    whoami:--base-url|whoami:--proxy|whoami:--profile) return ;;
    whoami:--profiles-file) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$current")); return ;;
    whoami:-o|whoami:--output) COMPREPLY=($(compgen -W 'table json jsonl csv tsv' -- "$current")); return ;;
    'mock serve:--seed'|'mock serve:--public-key'|'mock serve:--reply'|'mock serve:--replay'|'mock serve:--report'|'mock serve:--admin-token-file'|'mock serve:--tls-cert'|'mock serve:--tls-key') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$current")); return ;;
    'mock serve:--api-key'|'mock serve:--api-secret'|'mock serve:--account'|'mock serve:--clock-offset'|'mock serve:--stub'|'mock serve:--fault'|'mock serve:--switch'|'mock serve:--host'|'mock serve:--port'|'mock serve:--workers') return ;;
    'mock run:--seed'|'mock run:--public-key'|'mock run:--reply'|'mock run:--replay'|'mock run:--report') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$current")); return ;;
    'mock run:--api-key'|'mock run:--api-secret'|'mock run:--account'|'mock run:--clock-offset'|'mock run:--stub'|'mock run:--fault'|'mock run:--switch') return ;;
    'contract run:--url'|'contract run:--seed'|'contract run:--max-examples'|'contract run:--time-budget'|'contract run:--assume'|'contract run:--max-per-minute'|'contract run:--case') return ;;
    'contract run:--spec'|'contract run:--report') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$current")); return ;;
    'contract client:--spec'|'contract client:--report') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$current")); return ;;
    'contract client:--seed'|'contract client:--max-examples'|'contract client:--time-budget') return ;;
    'contract mock:--spec'|'contract mock:--report') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$current")); return ;;
    'contract mock:--seed'|'contract mock:--max-examples'|'contract mock:--time-budget'|'contract mock:--assume') return ;;
    'contract reply:--operation'|'contract reply:--status') return ;;
    'contract reply:--spec'|'contract reply:--proposal') compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$current")); return ;;
    spec:--language) COMPREPLY=($(compgen -W 'en zh' -- "$current")); return ;;
  esac
  case "$path" in
    '') words='balance server-time doctor whoami mock completion contract spec -h --help --version' ;;
    balance) words='-h --help --recv-window --base-url --demo --proxy --timeout --profile --all-profiles --profiles-file --watch -o --output --json --csv --columns --time --all-members --asset --non-zero' ;;
    server-time) words='-h --help --base-url --demo --proxy --timeout --profile --all-profiles --profiles-file --watch -o --output --json --csv --columns --time --all-members' ;;
    doctor) words='-h --help --base-url --demo --proxy --timeout --recv-window --profile --profiles-file --contract --json' ;;
    whoami) words='-h --help --base-url --demo --proxy --profile --all-profiles --profiles-file -o --output --json --csv' ;;
    mock) words='serve run schema scrub -h --help' ;;
    'mock serve') words='-h --help --seed --api-key --api-secret --public-key --account --clock-offset --reply --stub --fault --switch --replay --strict --log --report --host --port --admin --admin-token-file --tls-cert --tls-key --workers' ;;
    'mock run') words='-h --help --seed --api-key --api-secret --public-key --account --clock-offset --reply --stub --fault --switch --replay --strict --log --report --sealed' ;;
    'mock schema') words='-h --help' ;;
    'mock scrub') words='-h --help' ;;
    completion) words='bash zsh fish -h --help' ;;
    contract) words='run client mock program reply -h --help' ;;
    'contract run') words='-h --help --url --spec --seed --max-examples --time-budget --report --assume --max-per-minute --case' ;;
    'contract client') words='-h --help --spec --seed --max-examples --time-budget --report' ;;
    'contract mock') words='-h --help --spec --seed --max-examples --time-budget --report --assume' ;;
    'contract program') words='-h --help' ;;
    'contract reply') words='-h --help --operation --status --spec --json --proposal' ;;
    spec) words='-h --help --language --extensions --vectors' ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _binance_usdm binance-usdm
