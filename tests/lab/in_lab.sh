# shellcheck shell=dash
# Sourced by the scripts that the tests run in the lab (lab.py), by busybox sh: runs of kvmbench, whose output, status
# and report become results/NAME.{out,err,status,json}. While one runs, results/NAME.pid has its process id.

# bench NAME ARGUMENT...: kvmbench run ARGUMENT...
bench() {
  local name=$1 status=0
  shift
  # shellcheck disable=SC2016 # $$ is the inner shell, which becomes kvmbench
  sh -c 'echo $$ >"$0.pid" && exec "$@"' "results/$name" "$KVMBENCH" run --allow-unstable-tsc \
    --report json --report-file "results/$name.json" "$@" \
    >"results/$name.out" 2>"results/$name.err" || status=$?
  echo "$status" >"results/$name.status"
}

# dialogue NAME QUESTION ANSWER ARGUMENT...: bench, with ANSWER typed once the guest has printed QUESTION
dialogue() {
  local name=$1 question=$2 answer=$3
  shift 3
  mkfifo "$name.stdin"
  bench "$name" "$@" <"$name.stdin" &
  exec 3>"$name.stdin"
  until grep -q "$question" "results/$name.out" || [ -e "results/$name.status" ]; do sleep 0.2; done
  (echo "$answer" >&3) || true # a guest that ended without asking has left no reader; its status tells
  wait
  exec 3>&-
}
