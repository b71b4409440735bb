# shellcheck shell=bash disable=SC2154 # cache, flavour and tmp are the caller's
# scripts/lab's kernels: the cache of Debian's kernel packages, and the modules in them.
# A directory a package, with boot/vmlinuz-RELEASE and lib/modules/RELEASE, whose modules are all uncompressed.

declare -A kernel_package=([cloud]=linux-image-cloud-amd64 [generic]=linux-image-amd64)
declare -A kernel_pattern=([cloud]='linux-image-*-cloud-amd64_*' [generic]='linux-image-*[0-9]-amd64_*')

unpack_kernel() { # DEB: leaves the kernel and its modules in $cache/NAME; sets $kernel_dir
  kernel_dir=$cache/$(basename "$1" .deb)
  [[ -d $kernel_dir ]] && return
  {
    rm -rf "$kernel_dir.new" &&
      mkdir "$kernel_dir.new" &&
      dpkg-deb --fsys-tarfile "$1" |
      tar -x -C "$kernel_dir.new" --wildcards './boot/vmlinuz-*' './lib/modules/*/kernel/*' \
        './lib/modules/*/modules.builtin' &&
      find "$kernel_dir.new" -name '*.ko.xz' -exec xz -d {} + &&
      mv "$kernel_dir.new" "$kernel_dir"
  } || die "cannot unpack $1"
}

download_kernel() { # [APT-OPTION...]: gets the package of the flavour's newest kernel into $tmp
  local package
  package=$(apt-cache "$@" depends "${kernel_package[$flavour]}" |
    sed -n 's/^ *Depends: \(linux-image-[^ ]*\)$/\1/p' | head -n 1)
  [[ -n $package ]] || return
  (cd "$tmp" && apt-get -qq "$@" download "$package")
}

fetch_kernel() {
  local options=(-o APT::Sandbox::User=root)
  echo "lab: fetching the kernel of ${kernel_package[$flavour]} into $cache (once)" >&2
  download_kernel "${options[@]}" >"$tmp/apt" 2>&1 && return
  options+=(-o "Dir::State::lists=$tmp/apt-lists" -o "Dir::Cache=$tmp/apt-cache")
  mkdir -p "$tmp"/apt-lists/partial "$tmp"/apt-cache/archives/partial
  apt-get -qq "${options[@]}" update >"$tmp/apt" 2>&1
  download_kernel "${options[@]}" >>"$tmp/apt" 2>&1 || {
    cat "$tmp/apt" >&2
    die "apt cannot get the kernel of ${kernel_package[$flavour]}; without a network, set LAB_KERNEL_DEB" \
      "(or LAB_GENERIC_KERNEL_DEB)"
  }
}

newest_kernel() { # the flavour's newest package in the cache; nothing when it has none
  # A package unpacked before modules.builtin was kept is none. Unquoted: a pattern.
  # shellcheck disable=SC2086
  printf '%s\n' "$cache"/${kernel_pattern[$flavour]}/lib/modules/*/modules.builtin |
    sed 's|/lib/modules/.*||' | sort -V | tail -n 1
}

find_kernel() { # sets $kernel_dir, $vmlinuz and $modules_dir
  local package
  mkdir -p "$cache" || die "cannot make $cache"
  # Two labs at once: one fetches, the other waits.
  { exec 7>"$cache/lock" && flock -w 300 7; } || die "cannot lock $cache"
  case $flavour in
    cloud) package=${LAB_KERNEL_DEB-} ;;
    generic) package=${LAB_GENERIC_KERNEL_DEB-} ;;
  esac
  if [[ -n $package ]]; then
    unpack_kernel "$package"
  else
    kernel_dir=$(newest_kernel)
    if [[ ! -d $kernel_dir ]]; then
      fetch_kernel
      package=$(printf '%s\n' "$tmp"/linux-image-*.deb)
      rm -rf "${cache:?}/$(basename "$package" .deb)"
      unpack_kernel "$package"
    fi
  fi
  exec 7>&-
  vmlinuz=$(printf '%s\n' "$kernel_dir"/boot/vmlinuz-* | head -n 1)
  [[ -r $vmlinuz ]] || die "no kernel in $kernel_dir (remove it to fetch it anew)"
  modules_dir=$kernel_dir/lib/modules/${vmlinuz##*/vmlinuz-}
  find "$modules_dir" -name '*.ko' >"$tmp/modules"
}

# What add_module found: the files, in the order in which they have to be loaded.
declare -A module_seen
module_files=()

add_module() { # NAME: the module, after those it depends on; fails when there is no such module, built in or not
  local name=${1//-/_} file dependency
  [[ ${module_seen[$name]-} ]] && return
  file=$(grep -E "/${name//_/[-_]}\.ko$" "$tmp/modules" | head -n 1)
  if [[ -z $file ]]; then
    grep -qE "/${name//_/[-_]}\.ko$" "$modules_dir/modules.builtin"
    return
  fi
  module_seen[$name]=1
  for dependency in $(tr '\0' '\n' <"$file" | sed -n '/^depends=/{s///;s/,/ /g;p;q}'); do
    add_module "$dependency" || die "$file needs $dependency, which $kernel_dir lacks"
  done
  module_files+=("$file")
}

print_modules() { # [NAME...]
  local name
  if (($# == 0)); then
    echo "$modules_dir"
    return
  fi
  for name; do add_module "$name" || die "no module $name in $kernel_dir"; done
  ((${#module_files[@]} == 0)) || printf '%s\n' "${module_files[@]}"
}
