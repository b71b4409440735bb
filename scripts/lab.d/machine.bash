# shellcheck shell=bash disable=SC2034,SC2154 # tmp, retry, isa and what the emulator's file defines are the caller's
# scripts/lab's machine, whatever emulates it: its start, its heartbeat, how it ended.
#
# The emulator's file (qemu.bash, bochs.bash) defines emulate, which runs the machine until it ends, with the command's
# stdout on descriptor 8 and its stderr on 9, and returns the emulator's status; it writes the emulator's process id to
# $tmp/pid and what the machine's serial lines carry to $tmp/log (ttyS0) and $tmp/status (ttyS2). And wake_machine, which
# is called where the heartbeat has stopped.

watch_heartbeat() { # kills a machine that stands still, and leaves $tmp/stalled
  local last=-1 still=0 now
  while sleep 2; do
    now=$(stat -c %s "$tmp/status" 2>/dev/null || echo 0)
    if ((now > 0 && now == last)); then
      still=$((still + 2))
      wake_machine
    else
      still=0
    fi
    last=$now
    if ((still >= 30)); then
      : >"$tmp/stalled"
      kill -9 "$(cat "$tmp/pid")"
      break
    fi
  done
}

start_machine() { # sets $emulator_status
  local machine
  rm -f "$tmp/status" "$tmp/stalled" "$tmp/log"
  emulate 8>&1 9>&2 &
  machine=$!
  watch_heartbeat >/dev/null 2>&1 &
  watch=$!
  wait "$machine" # in the background, so that a signal to lab is acted on at once
  emulator_status=$?
  kill "$watch" 2>/dev/null
}

run_machine() { # sets $emulator_status, and $command_status, which is empty when COMMAND did not end
  local tsc_khz
  start_machine
  tsc_khz=$(sed -n 's/^tsc_khz //p' "$tmp/status" 2>/dev/null)
  if [[ -n $tsc_khz ]]; then
    kernel_parameters+=" tsc_early_khz=$tsc_khz"
    start_machine
  fi
  command_status=$(sed -n 's/^status \([0-9]*\)$/\1/p' "$tmp/status" 2>/dev/null)
}

stood_still() { [[ -z $command_status && -e $tmp/stalled ]]; }

run_to_the_end() { # run_machine, and once again where that was asked for
  if ((!retry)); then
    run_machine
    return
  fi
  run_machine >"$tmp/stdout" 2>"$tmp/stderr"
  if stood_still; then
    echo "lab: the emulated machine stood still; running it once again" >&2
    run_machine >"$tmp/stdout" 2>"$tmp/stderr"
  fi
  cat "$tmp/stdout"
  cat "$tmp/stderr" >&2
}
