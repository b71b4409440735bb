# shellcheck shell=bash disable=SC2154 # tmp, busybox, extra_modules and the emulator's variables are the caller's
# scripts/lab's initramfs: busybox, modules, what was added, the command, /init.

make_skeleton() {
  {
    mkdir -p "$root"/{bin,sbin,usr/bin,usr/sbin,proc,sys,dev,tmp,root,etc,lab} &&
      cp "$busybox" "$root/bin/busybox" &&
      ln -s ../../bin/busybox "$root/usr/bin/env" && # relative: nothing here may point out of $root
      echo root:x:0:0:root:/root:/bin/sh >"$root/etc/passwd" &&
      echo root:x:0: >"$root/etc/group"
  } || die "cannot fill $root"
}

copy_modules() { # leaves in /lab/modules the commands that load them
  local module name parameters file
  add_module "$kvm_module" || die "no $kvm_module module in $kernel_dir"
  for module in ${extra_modules[@]+"${extra_modules[@]}"}; do
    name=${module%%:*}
    add_module "$name" || die "no module $name in $kernel_dir"
    if [[ $module == *:* ]]; then
      parameters=${module#*:}
      module_parameters[${name//-/_}]="${module_parameters[${name//-/_}]-} ${parameters//,/ }"
    fi
  done
  echo "$before_modules" >"$root/lab/modules"
  for file in "${module_files[@]}"; do
    cp "$file" "$root/lab/" || die "cannot copy $file"
    name=${file##*/}
    name=${name%.ko}
    echo "insmod /lab/$name.ko ${module_parameters[${name//-/_}]-} || return 1"
  done >>"$root/lab/modules"
}

copy_in() { # FILE|DIR: copies it in at its own absolute path, and the shared libraries of each program in it
  local path file library
  path=$(realpath -s -- "$1")
  [[ -e $path ]] || die "no such file: $1"
  { mkdir -p "$root${path%/*}" && cp -RL --remove-destination --preserve=mode -- "$path" "$root${path%/*}/"; } ||
    die "cannot copy $1"
  while IFS= read -r -d '' file; do
    [[ $(head -c 4 -- "$file" | tr -d '\0') == $'\x7fELF' ]] || continue
    for library in $(ldd "$file" 2>/dev/null | grep -o '/[^ ]*'); do
      [[ -e $root$library ]] || { mkdir -p "$root${library%/*}" && cp -L -- "$library" "$root$library"; } ||
        die "cannot copy $library"
    done
  done < <(find -L "$path" -type f -print0)
}

in_busybox() { # NAME: whether busybox has such a command
  [[ $'\n'$("$busybox" --list)$'\n' == *$'\n'"$1"$'\n'* ]]
}

copy_interpreter() { # SCRIPT: copies what its #! line names, unless busybox stands in for it
  local line interpreter name
  [[ $(head -c 2 -- "$1" | tr -d '\0') == '#!' ]] || return 0
  IFS= read -r line <"$1"
  read -r interpreter name _ <<<"${line#\#!}"
  [[ $interpreter == */env ]] && interpreter=$(type -P -- "$name" || echo "/bin/$name")
  in_busybox "${interpreter##*/}" || copy_in "$interpreter"
}

quoted() { # WORD...: quoted for a POSIX shell
  local word
  for word; do printf " '%s'" "${word//\'/\'\\\'\'}"; done
}

copy_command() { # COMMAND [ARG...]: leaves in /lab/command what runs it
  local command=$1
  shift
  if [[ $command == */* ]]; then
    [[ -x $command && ! -d $command ]] || die "not a program: $command"
    command=$(realpath -s -- "$command")
  elif ! in_busybox "$command"; then
    command=$(type -P -- "$command") || die "no such command: $command"
  fi
  if [[ $command == */* ]]; then
    copy_in "$command"
    copy_interpreter "$command"
  fi
  mkdir -p "$root$PWD"
  { printf 'cd%s\nexec' "$(quoted "$PWD")"; quoted "$command" "$@"; echo; } >"$root/lab/command"
}

# ttyS0: kernel log; ttyS1: stdout; ttyS3: stderr; ttyS2: the heartbeat and, last, the exit status.
# Where other programs take the CPU from QEMU, the kernel may measure the TSC by the PIT several times too slow, and its
# clock then runs that much too fast; it says what the HPET gives, which is right. The machine is then started again.
write_init() {
  cat >"$root/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin 2>/dev/null
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm; mount -t devpts devpts /dev/pts; mount -t tmpfs tmpfs /dev/shm
mount -t debugfs debugfs /sys/kernel/debug; mount -t tracefs tracefs /sys/kernel/tracing
ln -s /proc/self/fd /dev/fd; ip link set lo up; hostname lab
for t in 1 2 3; do stty -F /dev/ttyS$t 115200 raw -echo || echo "lab: no ttyS$t"; done
echo -1 >/proc/sys/kernel/perf_event_paranoid; echo 0 >/proc/sys/kernel/kptr_restrict
(while :; do echo . >/dev/ttyS2; sleep 0.5; done) &
tsc_khz=$(dmesg | sed -n 's/.*PIT calibration deviates from HPET: [0-9]* //p')
if [ -n "$tsc_khz" ]; then
	echo "tsc_khz $tsc_khz" >/dev/ttyS2
elif . /lab/modules && [ -c /dev/kvm ]; then
	echo "lab: ready at $(cut -d' ' -f1 /proc/uptime)"
	env -i HOME=/root TERM=dumb PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		sh /lab/command </dev/null >/dev/ttyS1 2>/dev/ttyS3
	echo status $? >/dev/ttyS2
else
	echo "lab: no /dev/kvm"
fi
for t in 1 2 3; do stty -F /dev/ttyS$t raw; done   # waits until all of it is out
poweroff -f
INIT
  chmod +x "$root/init"
}

make_initramfs() { # COMMAND [ARG...]: leaves it in $tmp/initrd
  local file
  root=$tmp/root
  make_skeleton
  copy_modules
  for file in ${add[@]+"${add[@]}"}; do copy_in "$file"; done
  copy_command "$@"
  write_init
  (cd "$root" && find . | cpio -o -H newc --quiet -R 0:0 >"$tmp/initrd") || die "cannot write the initramfs"
}
