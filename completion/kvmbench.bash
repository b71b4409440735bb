# Completion of kvmbench's arguments for bash.
_kvmbench_formats='text json csv markdown html svg folded openmetrics'

# The options of a command.
_kvmbench_options() {
  case $1 in
  run)
    echo '--initrd --cmdline --module --mode --load-address --entry --mem --hugepages --cpus --irqchip --cpuid-mask
      --guest-stats --serial --serial2 --devices --console --disk --net --rng --protect --watch --halt-poll --disable-exits
      --interrupt-source --timeout --allow-unstable-tsc --trace
      --mark-on-serial
      --report --report-file --ab --by-phase --interval --interval-file --expect --expect-file --write-budget --slack
      --chart --rip --symbols --live --serve --serve-token --help'
    ;;
  bench) echo '--list --budget --format --output --save --with --kernel --initrd --cmdline --trace
      --allow-unstable-tsc --progress --help' ;;
  compare) echo '--format --output --per --different-hosts --help' ;;
  merge) echo '--output --different-hosts --help' ;;
  trace) echo '-p --pid --vm --all --list -d --duration -i --interval --live --report --report-file
      --expect --expect-file --write-budget --slack --help' ;;
  report) echo '--format --output --by-phase --side-by-side --different-hosts --intervals --chart
      --expect --expect-file --write-budget --slack --help' ;;
  host | guests) echo '--help' ;;
  esac
}

# The values of an option of a command: words, or nothing where files are meant.
_kvmbench_values() {
  case $1 in
  --mode) echo '16 32 64' ;;
  --irqchip) echo 'full split none' ;;
  --guest-stats) echo 'port msr page off' ;;
  --report) echo "$_kvmbench_formats none" ;;
  --format)
    case $2 in
    report) echo "$_kvmbench_formats none" ;;
    bench) echo 'text json csv markdown html svg openmetrics' ;;
    *) echo "$_kvmbench_formats" ;;
    esac
    ;;
  --serial | --serial2) echo 'stdio null file: pty unix:' ;;
  --devices) echo 'emulated paravirtual' ;;
  --console) echo 'uart virtio' ;;
  --net) echo 'tap= socket= echo sink' ;;
  --rng) echo 'host' ;;
  --disable-exits) echo 'hlt pause mwait cstate' ;;
  --ab) echo 'console disk net all' ;;
  --chart) echo 'reasons phases histogram timeline' ;;
  esac
}

_kvmbench() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} values
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    mapfile -t COMPREPLY < <(compgen -W 'run bench trace report compare merge host guests --help --version' -- "$current")
    return
  fi
  values=$(_kvmbench_values "$previous" "${COMP_WORDS[1]}")
  if [[ -n $values ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$values" -- "$current")
    return
  fi
  case $previous in
  --initrd | --module | --report-file | --interval-file | --intervals | --symbols | --serve-token | --output | --save | --with | --kernel | --expect-file | --write-budget) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
  *)
    case $current in
    -*) mapfile -t COMPREPLY < <(compgen -W "$(_kvmbench_options "${COMP_WORDS[1]}")" -- "$current") ;;
    @*) mapfile -t COMPREPLY < <(compgen -W "$(kvmbench guests 2>/dev/null | sed -n 's/^\(@[^ ]*\).*/\1/p')" -- "$current") ;;
    *)
      if [[ ${COMP_WORDS[1]} == bench ]]; then
        mapfile -t COMPREPLY < <(compgen -W "all $(kvmbench bench --list 2>/dev/null | sed -n 's/ .*//p')" -- "$current")
      else
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
      fi
      ;;
    esac
    ;;
  esac
}
complete -o filenames -F _kvmbench kvmbench
