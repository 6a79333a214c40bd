#!/bin/sh
# Removes K3s and its state. The volumes, models most of all, stay; with --purge they go too.
# Written by Synapse in place of the script that K3s' own installer makes. Cut off, it can be run again.
set -u

if [ "$(id -u)" -ne 0 ]; then
  echo "k3s-uninstall.sh: run it as root (sudo k3s-uninstall.sh)" >&2
  exit 1
fi

said() { sed -n "s/^$1: *//p" /etc/rancher/k3s/config.yaml 2>/dev/null | tr -d "\"'"; }
data_dir=$(said data-dir)
data_dir=${data_dir:-/var/lib/rancher/k3s}
volumes=$(said default-local-storage-path)
volumes=${volumes:-$data_dir/storage}

[ ! -x /usr/local/bin/k3s-killall.sh ] || /usr/local/bin/k3s-killall.sh

systemctl disable k3s.service 2>/dev/null
# A volume that is mounted in a pod's folder would be emptied with it.
if grep -q " /var/lib/kubelet/pods/" /proc/self/mounts; then
  echo "k3s-uninstall.sh: volumes are still mounted below /var/lib/kubelet/pods, so nothing was removed." >&2
  echo "Reboot, after which K3s stays off, and run it again." >&2
  exit 1
fi
rm -f /etc/systemd/system/k3s.service /etc/systemd/system/k3s.service.env
systemctl daemon-reload
systemctl reset-failed k3s.service 2>/dev/null

# Never across a mount: a disk that somebody mounted below stays what it is.
remove() { rm -rf --one-file-system "$@"; }
remove "$data_dir/agent" "$data_dir/data" "$data_dir/server" /var/lib/kubelet /run/k3s /run/flannel
if [ "${1:-}" = --purge ]; then
  # local-path gives each volume a folder of this name.
  remove "$volumes"/pvc-*
  rmdir "$volumes" 2>/dev/null
elif [ -n "$(ls -A "$volumes" 2>/dev/null)" ]; then
  echo "The volumes stay in $volumes"
fi
rmdir "$data_dir" 2>/dev/null

for name in kubectl crictl ctr; do
  [ "$(readlink "/usr/local/bin/$name")" != k3s ] || rm -f "/usr/local/bin/$name"
done
rm -f /usr/local/bin/k3s /usr/local/bin/k3s-killall.sh
# Last, for it says where the data is, should this be cut off; and this script itself.
remove /etc/rancher/k3s
rmdir /etc/rancher /var/lib/rancher 2>/dev/null
rm -f /usr/local/bin/k3s-uninstall.sh
exit 0
