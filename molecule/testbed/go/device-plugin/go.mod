// A simulator of NVIDIA's device plugin, which is in no module proxy: the kubelet's own API, Kubernetes' version.
module synapse.local/testbed/device-plugin

go 1.26.0

require (
	google.golang.org/grpc v1.72.2
	k8s.io/kubelet v0.34.10
	sigs.k8s.io/yaml v1.6.0
)

require (
	go.yaml.in/yaml/v2 v2.4.2 // indirect
	golang.org/x/net v0.38.0 // indirect
	golang.org/x/sys v0.31.0 // indirect
	golang.org/x/text v0.23.0 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20250303144028-a0af3efb3deb // indirect
	google.golang.org/protobuf v1.36.12-0.20260120151049-f2248ac996af // indirect
)

tool synapse.local/testbed/device-plugin
