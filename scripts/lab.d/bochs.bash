# shellcheck shell=bash disable=SC2034,SC2154 # for and from scripts/lab
# scripts/lab --isa vmx: a machine that Bochs emulates, with Intel's VMX. It boots from a CD by ISOLINUX.

kvm_module=kvm-intel
# A guest that uses KVM's local APIC hangs under Bochs's APIC virtualisation.
declare -A module_parameters=([kvm_intel]="ept=$((nested_paging)) enable_apicv=0")
default_limit=400
emulator=Bochs
emulator_tools=(bochs:bochs xorriso:xorriso script:bsdutils)
cpus_max=1
mem_max=2048 # MiB
before_modules='' # the TSC's rate is given, and right

bochs_ips=100000000 # instructions in a second of the machine's own time; it skips idle time
bios=/usr/share/bochs/BIOS-bochs-latest
vga_bios=/usr/share/bochs/VGABIOS-lgpl-latest
isolinux=/usr/lib/ISOLINUX/isolinux.bin
isolinux_library=/usr/lib/syslinux/modules/bios/ldlinux.c32
terminal=/usr/lib/x86_64-linux-gnu/bochs/plugins/libbx_term_gui.so

kernel_parameters="console=ttyS0,115200 nokaslr mitigations=off panic=-1 tsc=reliable cryptomgr.notests"
kernel_parameters+=" tsc_early_khz=$((bochs_ips / 1000)) random.trust_cpu=on"
# Each character on the console is waited for, so that a log takes its time.
[[ -n $log ]] || kernel_parameters+=" quiet loglevel=4"

write_bochsrc() {
  cat <<END
config_interface: textconfig
display_library: term
plugin_ctrl: unmapped=1, biosdev=1, speaker=0, extfpuirq=1, parallel=0, serial=1, iodebug=0, gameport=0
sound: driver=dummy
cpu: model=${LAB_CPU:-corei7_skylake_x}, count=1, ips=$bochs_ips, reset_on_triple_fault=0, ignore_bad_msrs=1
memory: guest=$mem, host=$mem
romimage: file=$bios
vgaromimage: file=$vga_bios
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path=$tmp/lab.iso, status=inserted
boot: cdrom
clock: sync=none, time0=utc
com1: enabled=1, mode=file, dev=$tmp/log
com2: enabled=1, mode=file, dev=$tmp/out
com3: enabled=1, mode=file, dev=$tmp/status
com4: enabled=1, mode=file, dev=$tmp/err
log: $tmp/bochs.log
panic: action=fatal
error: action=ignore
info: action=ignore
debug: action=ignore
END
}

prepare_machine() {
  local file
  for file in "$bios:bochsbios" "$vga_bios:vgabios" "$isolinux:isolinux" "$isolinux_library:syslinux-common" \
    "$terminal:bochs-term"; do
    [[ -e ${file%:*} ]] || die "no ${file%:*}: apt-get install ${file##*:}"
  done
  mkdir -p "$tmp/iso/isolinux"
  {
    cp "$vmlinuz" "$tmp/iso/vmlinuz" &&
      cp "$tmp/initrd" "$tmp/iso/initrd" &&
      cp "$isolinux" "$isolinux_library" "$tmp/iso/isolinux/"
  } || die "cannot fill the CD"
  cat >"$tmp/iso/isolinux/isolinux.cfg" <<END
DEFAULT lab
PROMPT 0
TIMEOUT 0
LABEL lab
 KERNEL /vmlinuz
 INITRD /initrd
 APPEND $kernel_parameters rdinit=/init
END
  xorriso -as mkisofs -quiet -o "$tmp/lab.iso" -b isolinux/isolinux.bin -c isolinux/boot.cat -no-emul-boot \
    -boot-load-size 4 -boot-info-table -J -R "$tmp/iso" >"$tmp/xorriso" 2>&1 || {
    cat "$tmp/xorriso" >&2
    die "cannot write the CD"
  }
  write_bochsrc >"$tmp/bochsrc"
  echo c >"$tmp/debugger" # Debian's Bochs is built with its debugger, which waits for a command
  mkfifo "$tmp/out" "$tmp/err"
}

# Bochs takes a terminal for its screen. The command's stdout and stderr come through FIFOs, which are held open, so that
# neither end waits for the other to open it.
emulate() {
  local status bochs
  printf -v bochs '%q ' /usr/bin/bochs-bin -q -f "$tmp/bochsrc" -rc "$tmp/debugger"
  exec 5<>"$tmp/out" 6<>"$tmp/err"
  cat "$tmp/out" >&8 5>&- 6>&- &
  cat "$tmp/err" >&9 5>&- 6>&- &
  TERM=vt100 timeout --foreground -k 5 "$limit" \
    script -qec "stty rows 30 cols 100; echo \$\$ >$(printf %q "$tmp/pid"); exec $bochs" /dev/null \
    </dev/null >"$tmp/emulator" 2>&1 5>&- 6>&-
  status=$?
  kill -9 "$(cat "$tmp/pid")" 2>/dev/null # where script was ended and Bochs went on
  exec 5>&- 6>&-
  wait
  return "$status"
}

wake_machine() { :; } # it loses no interrupts

emulator_complaints() { # where it did not even begin, its screen has them
  if [[ -s $tmp/bochs.log ]]; then grep -aE 'PANIC|e\[' "$tmp/bochs.log"; else cat "$tmp/emulator"; fi | tail -n 15
}
