# shellcheck shell=bash disable=SC2034,SC2154 # for and from scripts/lab
# scripts/lab --isa svm: a machine that QEMU's TCG emulates, with AMD's SVM.

kvm_module=kvm-amd
declare -A module_parameters=([kvm_amd]="npt=$((nested_paging))")
kernel_parameters="console=ttyS0 mitigations=off panic=-1 tsc=reliable no_timer_check cryptomgr.notests"
default_limit=120
emulator=QEMU
emulator_tools=(qemu-system-x86_64:qemu-system-x86)
cpus_max=99
mem_max=1048576 # MiB
# KVM takes the TSC's rate, which this CPU does not declare constant, as it is when KVM is loaded. Where Linux then refines
# it upwards by more than 250 ppm, KVM has no TSC for its guests ("user requested TSC rate below hardware speed"): it
# stands still, and so do their timers. Linux refines it about a second after its start.
# shellcheck disable=SC2016 # expanded in the machine
before_modules='n=0; until dmesg | grep -q "Refined TSC" || [ $n -eq 100 ]; do sleep 0.1; n=$((n + 1)); done'

prepare_machine() {
  mkfifo "$tmp/monitor.in" "$tmp/monitor.out" || die "cannot make $tmp/monitor.in"
  qemu=(timeout --foreground -k 5 "$limit"
    qemu-system-x86_64 -M q35 -accel "tcg,thread=multi" -cpu "${LAB_CPU:-EPYC,+svm}" -smp "$cpus" -m "$mem"
    -nodefaults -no-user-config -display none -no-reboot -pidfile "$tmp/pid"
    -add-fd "fd=3,set=1" -add-fd "fd=4,set=2"
    -chardev "file,id=log,path=$tmp/log" -chardev "file,id=out,path=/dev/fdset/1,append=on"
    -chardev "file,id=status,path=$tmp/status" -chardev "file,id=err,path=/dev/fdset/2,append=on"
    -chardev "pipe,id=monitor,path=$tmp/monitor" -mon "chardev=monitor,mode=readline"
    -serial chardev:log -serial chardev:out -serial chardev:status -serial chardev:err
    -kernel "$vmlinuz" -initrd "$tmp/initrd")
}

# The command's stdout and stderr leave QEMU through fds 3 and 4, which must be pipes (QEMU wants descriptors open for
# writing only), and append=on, as else it would try to truncate them.
emulate() {
  { "${qemu[@]}" -append "$kernel_parameters" 3>&1 >/dev/null 2>"$tmp/emulator" </dev/null | cat >&8; } 4>&1 | cat >&9
}

# QEMU 7.2 changes the CPU's pending interrupts in VMRUN and #VMEXIT without its lock. What the local APIC's timer asks for
# meanwhile may be lost; it stays in the APIC's IRR, and no further timer interrupt comes. Any other interrupt makes the CPU
# look there again: a key is pressed.
wake_machine() {
  echo "sendkey shift" 1<>"$tmp/monitor.in"
}

emulator_complaints() { grep -v "warning: TCG doesn't support" "$tmp/emulator"; }
