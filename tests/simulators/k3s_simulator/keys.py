"""The keys of config.yaml: what K3s' command `server` has as flags, and which do something here."""

# What is looked at; README.md says what for.
SIMULATED = frozenset(
    """
    bind-address cluster-cidr cluster-dns cluster-domain data-dir disable disable-kube-proxy
    disable-network-policy https-listen-port kube-apiserver-arg kube-controller-manager-arg
    kube-proxy-arg kube-scheduler-arg kubelet-arg node-ip node-label node-name node-taint
    pause-image private-registry protect-kernel-defaults secrets-encryption service-cidr
    service-node-port-range snapshotter default-local-storage-path tls-san token token-file
    write-kubeconfig write-kubeconfig-mode write-kubeconfig-group
    """.split()  # noqa: SIM905
)
# K3s knows them as well: they are taken without a word, as by K3s, and change nothing.
WITHOUT_EFFECT = frozenset(
    """
    config c debug v vmodule log alsologtostderr advertise-address advertise-port
    tls-san-security d flannel-backend flannel-ipv6-masq flannel-external-ip
    egress-selector-mode servicelb-namespace o helm-job-image t agent-token agent-token-file
    server s cluster-init cluster-reset cluster-reset-restore-path etcd-arg
    kube-cloud-controller-manager-arg kine-tls datastore-endpoint datastore-cafile
    datastore-certfile datastore-keyfile etcd-expose-metrics etcd-disable-snapshots
    etcd-snapshot-name etcd-snapshot-schedule-cron etcd-snapshot-retention etcd-snapshot-dir
    etcd-snapshot-compress etcd-s3 etcd-s3-endpoint etcd-s3-endpoint-ca etcd-s3-skip-ssl-verify
    etcd-s3-access-key etcd-s3-secret-key etcd-s3-bucket etcd-s3-region etcd-s3-folder
    etcd-s3-insecure etcd-s3-timeout etcd-s3-config-secret etcd-s3-proxy etcd-s3-session-token
    etcd-s3-bucket-lookup-type etcd-s3-retention disable-scheduler disable-cloud-controller
    disable-helm-controller disable-apiserver disable-controller-manager disable-etcd
    embedded-registry supervisor-metrics with-node-id image-credential-provider-bin-dir
    image-credential-provider-config docker container-runtime-endpoint default-runtime
    image-service-endpoint disable-default-registry-endpoint nonroot-devices
    system-default-registry node-internal-dns node-external-dns node-external-ip i resolv-conf
    flannel-iface flannel-conf flannel-cni-conf vpn-auth vpn-auth-file enable-pprof rootless
    prefer-bundled-bin selinux lb-server-port secrets-encryption-provider airgap-extra-registry
    """.split()  # noqa: SIM905
)
KNOWN = SIMULATED | WITHOUT_EFFECT
