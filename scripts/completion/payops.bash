# shellcheck shell=bash
# Bash completion for payops. Load it with `source scripts/completion/payops.bash`, or install it as
# /usr/share/bash-completion/completions/payops.

# Subcommands, and their options; tests/style/completion_test holds both against the program's help.
_payops_commands='demo broker topics simulate agent run approve reject kill keys users notify top audit explain replay
  config graph state learned detect backtest attribute evaluate intents support chat
  simulate-chats faq stories bench'
_payops_words() {
  case $1 in
    '') echo "$_payops_commands --help --version" ;;
    demo)
      echo --scenario --stream --seed --speed --duration --warm-up --bootstrap --no-console --no-support
      echo --json
      ;;
    broker) echo --port-file --topic-prefix ;;
    topics) echo create list ;;
    'topics create')
      echo --config --bootstrap --topic-prefix --connect-timeout --replication-factor --json
      ;;
    'topics list') echo --config --bootstrap --topic-prefix --connect-timeout --json ;;
    simulate)
      echo --config --bootstrap --topic-prefix --scenario --seed --rate --speed --duration --warm-up
      echo --start --out --json
      ;;
    agent)
      echo --config --bootstrap --mode --state --audit --until-end --verbose --no-console --json
      echo --topic-prefix --console-bind --console-users
      ;;
    run) echo --scenario --seed --duration --rate --config --audit --json --quiet ;;
    approve | reject) echo --config --bootstrap --key --topic-prefix --by --wait --yes ;;
    kill) echo on off ;;
    'kill on' | 'kill off') echo --config --bootstrap --key --topic-prefix --by --wait ;;
    keys) echo new ;;
    'keys new') echo --out ;;
    users) echo add list ;;
    'users add') echo --role --file --random ;;
    'users list') echo --file ;;
    notify) echo test --config --bootstrap --topic-prefix --state ;;
    'notify test') echo --config ;;
    top) echo --address --user --once --json --interval ;;
    audit) echo verify show export ;;
    'audit verify') echo --checkpoint --json ;;
    'audit show') echo --kind --last ;;
    'audit export') echo --format ;;
    explain) echo --audit --json ;;
    replay) echo --agent --config --state --json ;;
    config) echo check show ;;
    'config check') echo --as ;;
    'config show') echo --json ;;
    graph) echo --agent ;;
    state) echo show ;;
    'state show') echo --state --json ;;
    learned) echo show confirm reset --state --json ;;
    'learned show') echo --state --json ;;
    'learned reset') echo --scope --config --bootstrap --topic-prefix --key --by ;;
    'learned confirm') echo --config --bootstrap --topic-prefix --key --by ;;
    detect) echo --kind --target-false-alarms --json --out ;;
    backtest) echo --input --bootstrap --topic --from --to --config --report --json ;;
    attribute)
      echo --attempts --failures --dimensions --time --at --step --baseline --json
      ;;
    evaluate) echo policies attribution calibration detection ;;
    'evaluate attribution') echo --worlds --seed --jobs --plots --json ;;
    'evaluate detection')
      echo --attempts --runs --quick --target-false-alarms --rate --seed --jobs --plots --json
      ;;
    'evaluate policies')
      echo --scenarios --seeds --policies --duration --jobs --config --plots --json
      ;;
    'evaluate calibration')
      echo --faults --seed --scenarios --seeds --jobs --config --length-spread --plots --json
      ;;
    intents) echo train evaluate ;;
    'intents train') echo --data --oos --model --seed ;;
    'intents evaluate') echo --model --data --json ;;
    support)
      echo evaluate --config --bootstrap --topic-prefix --state --audit --http-port --no-http
      echo --http-bind --http-users --until-end --json
      ;;
    'support evaluate') echo --data --config --model-dir ;;
    chat) echo --config --bootstrap --topic-prefix --user --text --wait --json ;;
    simulate-chats) echo --config --bootstrap --topic-prefix --rate --failed-share --duration --seed ;;
    faq) echo search evaluate import ;;
    'faq search') echo --config --model-dir --json --words-only ;;
    'faq evaluate') echo --data --config --model-dir --json --words-only ;;
    'faq import') echo --config ;;
    stories) echo run ;;
    'stories run') echo --config --model --model-dir --json ;;
    bench) echo ingest ;;
    'bench ingest')
      echo --bootstrap --messages --repeat --rate --topic-prefix --config --json
      ;;
  esac
}

_payops_scenarios() {
  local file
  for file in simulators/scenarios/*.yaml; do
    [ -e "$file" ] && basename "$file" .yaml
  done
}

# What may follow an option, as options to compgen; empty when anything may.
_payops_values() {
  case $1 in
    --scenario) echo "-W '$(_payops_scenarios | tr '\n' ' ')' -f" ;;
    --mode) echo "-W 'observe shadow approve auto'" ;;
    --role) echo "-W 'viewer operator approver auditor admin customer support_agent support_manager channel'" ;;
    --agent) echo "-W 'payments support'" ;;
    --format) echo "-W 'csv'" ;;
    --as) echo "-W 'auto agent stream scenario declines topology calendar'" ;;
    --config | --out | --key | --data | --oos | --model | --checkpoint | --port-file) echo -f ;;
    --state | --audit | --scenarios | --model-dir) echo -d ;;
  esac
}

_payops() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  COMPREPLY=()

  # The subcommand so far: the words before this one that are offered where they stand.
  local path='' word
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ $word == -* ]] && break
    [[ " $(_payops_words "$path" | tr '\n' ' ') " == *" $word "* ]] && path="${path:+$path }$word"
  done

  local values
  values=$(_payops_values "$previous")
  if [ -n "$values" ]; then
    eval "mapfile -t COMPREPLY < <(compgen $values -- \"\$current\")"
  else
    mapfile -t COMPREPLY < <(compgen -W "$(_payops_words "$path")" -- "$current")
    # A place for a file or folder of the user's own: config check FILE, audit verify DIR, replay DIR.
    [ ${#COMPREPLY[@]} -gt 0 ] || mapfile -t COMPREPLY < <(compgen -f -- "$current")
  fi
}

complete -o filenames -F _payops payops
