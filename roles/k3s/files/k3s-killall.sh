#!/bin/sh
# Stops K3s with every container it started, and takes its mounts, networks and rules away. Its data stays.
# Written by Synapse in place of the script that K3s' own installer makes.
set -u

if [ "$(id -u)" -ne 0 ]; then
  echo "k3s-killall.sh: run it as root (sudo k3s-killall.sh)" >&2
  exit 1
fi

data_dir=$(sed -n 's/^data-dir: *//p' /etc/rancher/k3s/config.yaml 2>/dev/null)
data_dir=${data_dir:-/var/lib/rancher/k3s}
# K3s brings programs that a small system lacks.
for folder in "$data_dir"/data/current/bin "$data_dir"/data/current/bin/aux; do
  [ -d "$folder" ] && PATH=$PATH:$folder
done

has() { command -v "$1" >/dev/null 2>&1; }

systemctl stop k3s.service 2>/dev/null

# A container goes on without K3s: the shim that holds it is known by K3s' socket, and all below it is the container's.
shims() {
  for folder in /proc/[0-9]*; do
    line=$(tr '\0' ' ' <"$folder/cmdline" 2>/dev/null) || continue
    case $line in
      *containerd-shim*" /run/k3s/"*) echo "${folder#/proc/}" ;;
    esac
  done
}

with_children() {
  for pid in "$@"; do
    echo "$pid"
    # shellcheck disable=SC2046  # a list of numbers
    with_children $(cat /proc/"$pid"/task/*/children 2>/dev/null)
  done
}

# shellcheck disable=SC2046
doomed=$(with_children $(shims))
# shellcheck disable=SC2086
[ -z "$doomed" ] || kill -KILL $doomed 2>/dev/null

# The innermost first.
unmount_below() {
  while read -r _ place _; do
    case $place in
      "$1"*) echo "$place" ;;
    esac
  done </proc/self/mounts | sort -r | while read -r place; do
    umount "$place" 2>/dev/null || umount --lazy "$place"
  done
}
for place in /run/k3s /var/lib/kubelet/pods /var/lib/kubelet/plugins /run/netns/cni-; do
  unmount_below "$place"
done

if has ip; then
  for space in /run/netns/cni-*; do
    [ -e "$space" ] && ip netns delete "${space##*/}"
  done
  for link in cni0 flannel.1 flannel-v6.1 flannel-wg flannel-wg-v6 kube-ipvs0; do
    [ ! -e "/sys/class/net/$link" ] || ip link delete "$link"
  done
fi
rm -rf /var/lib/cni

# Everybody else's rules are put back as they are.
for tables in iptables ip6tables; do
  if has "$tables-save" && "$tables-save" 2>/dev/null | grep -Eqi 'KUBE-|CNI-|flannel'; then
    "$tables-save" | grep -Evi 'KUBE-|CNI-|flannel' | "$tables-restore"
  fi
done
exit 0
