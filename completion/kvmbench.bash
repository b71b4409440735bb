# Completion of kvmbench's arguments for bash.
_kvmbench() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local commands='run host guests'
  local run_options='--initrd --cmdline --module --mode --load-address --entry --mem --hugepages --cpus --irqchip
    --cpuid-mask --guest-stats --serial --serial2 --timeout --allow-unstable-tsc --mark-on-serial --report --report-file --by-phase
    --interval --interval-file --help'
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    mapfile -t COMPREPLY < <(compgen -W "$commands --help --version" -- "$current")
    return
  fi
  [[ ${COMP_WORDS[1]} == run ]] || return
  case $previous in
  --mode) mapfile -t COMPREPLY < <(compgen -W '16 32 64' -- "$current") ;;
  --irqchip) mapfile -t COMPREPLY < <(compgen -W 'full split none' -- "$current") ;;
  --guest-stats) mapfile -t COMPREPLY < <(compgen -W 'port msr page off' -- "$current") ;;
  --report) mapfile -t COMPREPLY < <(compgen -W 'text json csv markdown none' -- "$current") ;;
  --serial | --serial2) mapfile -t COMPREPLY < <(compgen -W 'stdio null file: pty unix:' -- "$current") ;;
  --initrd | --module | --report-file | --interval-file) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
  *)
    case $current in
    -*) mapfile -t COMPREPLY < <(compgen -W "$run_options" -- "$current") ;;
    @*) mapfile -t COMPREPLY < <(compgen -W "$(kvmbench guests 2>/dev/null | sed -n 's/^\(@[^ ]*\).*/\1/p')" -- "$current") ;;
    *) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    esac
    ;;
  esac
}
complete -o filenames -F _kvmbench kvmbench
