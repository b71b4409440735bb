# shellcheck shell=dash disable=SC1091 # ./commands is made by linux_boot.py
# Run in the lab by linux_boot.py: boots Linux under QEMU and kvmbench in turn, $1 times for the time, and then once
# each with the exits counted by KVM's tracepoints. ./commands defines the functions qemu and kvmbench.
. ./commands
events=/sys/kernel/tracing/events/kvm

for _ in $(seq "$1"); do
  for monitor in qemu kvmbench; do
    echo "time $monitor $($monitor 2>/dev/null)"
  done
done

for monitor in qemu kvmbench; do
  for counted in kvm_userspace_exit:reason kvm_exit:exit_reason; do
    echo "hist:keys=${counted#*:}" >$events/${counted%:*}/trigger
  done
  $monitor 2>$monitor.output >&2
  for counted in kvm_userspace_exit:reason kvm_exit:exit_reason; do
    sed -n "s/^{.*reason: *\([0-9a-fx]*\) *} hitcount: *\([0-9]*\).*/count $monitor ${counted%:*} \1 \2/p" \
      $events/${counted%:*}/hist
    echo "!hist:keys=${counted#*:}" >$events/${counted%:*}/trigger
  done
done
echo "report $(tr -d '\n' <kvmbench.output)"
