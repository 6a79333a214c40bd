// Device-plugin is a simulator: it offers the GPU to the kubelet as NVIDIA's device plugin does, reads the
// same configuration file, and says the same words in its log. It asks nvidia-smi what GPU its container
// has been given, where the real one asks NVML; health, MIG and MPS are left out.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	api "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

const (
	socket  = "nvidia-gpu.sock"
	look    = time.Second
	timeout = 10 * time.Second
)

type plugin struct {
	api.UnimplementedDevicePluginServer
	sharing
	devices []*api.Device
}

func main() {
	settings, err := readSettings(os.Args[1:], os.Getenv)
	if err != nil {
		log.Fatalf("unable to load config: %v", err)
	}
	uuids, err := givenGPUs()
	if err != nil {
		log.Print("Incompatible strategy detected auto")
		log.Print("If this is a GPU node, did you configure the NVIDIA Container Toolkit?")
		log.Print(err)
		if settings.failsWithoutGPU {
			log.Fatal("error starting plugins: error creating plugin manager: invalid device discovery strategy")
		}
		log.Print("No devices found. Waiting indefinitely.")
		wait()
		return
	}
	one := &plugin{sharing: settings.sharing, devices: settings.offered(uuids)}
	// A kubelet that starts again forgets its plugins, and takes their sockets away.
	for {
		if err := one.serve(api.DevicePluginPath); err != nil {
			log.Printf("Could not contact Kubelet: %v", err)
		}
		time.Sleep(look)
	}
}

func wait() {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGINT, syscall.SIGTERM)
	<-ended
}

// serve offers the devices until the kubelet has taken the plugin's socket away.
func (one *plugin) serve(folder string) error {
	place := filepath.Join(folder, socket)
	if err := os.Remove(place); err != nil && !os.IsNotExist(err) {
		return err
	}
	listening, err := net.Listen("unix", place)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	defer server.Stop()
	api.RegisterDevicePluginServer(server, one)
	go server.Serve(listening)
	log.Printf("Starting to serve '%s' on %s", one.resource, place)
	if err := one.register(filepath.Join(folder, "kubelet.sock")); err != nil {
		return err
	}
	log.Printf("Registered device plugin for '%s' with Kubelet", one.resource)
	for {
		if _, err := os.Stat(place); err != nil {
			log.Print("The kubelet has started again, restarting.")
			return nil
		}
		time.Sleep(look)
	}
}

func (one *plugin) register(kubelet string) error {
	connection, err := grpc.NewClient("unix://"+kubelet, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	limited, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	_, err = api.NewRegistrationClient(connection).Register(limited, &api.RegisterRequest{
		Version: api.Version, Endpoint: socket, ResourceName: one.resource,
	})
	return err
}

func (one *plugin) GetDevicePluginOptions(context.Context, *api.Empty) (*api.DevicePluginOptions, error) {
	return &api.DevicePluginOptions{}, nil
}

func (one *plugin) ListAndWatch(_ *api.Empty, stream api.DevicePlugin_ListAndWatchServer) error {
	if err := stream.Send(&api.ListAndWatchResponse{Devices: one.devices}); err != nil {
		return err
	}
	<-stream.Context().Done()
	return nil
}

func (one *plugin) PreStartContainer(context.Context, *api.PreStartContainerRequest) (*api.PreStartContainerResponse, error) {
	return &api.PreStartContainerResponse{}, nil
}

// Allocate names the GPUs behind the wanted shares; the container runtime gives them.
func (one *plugin) Allocate(_ context.Context, asked *api.AllocateRequest) (*api.AllocateResponse, error) {
	answer := &api.AllocateResponse{}
	for _, container := range asked.ContainerRequests {
		given, err := one.allocated(container.DevicesIds)
		if err != nil {
			return nil, err
		}
		answer.ContainerResponses = append(answer.ContainerResponses, given)
	}
	return answer, nil
}

func (one *plugin) allocated(shares []string) (*api.ContainerAllocateResponse, error) {
	if one.refusesMore && one.replicas > 1 && len(shares) > 1 {
		return nil, fmt.Errorf("request for '%s: %d' too large: maximum request size for shared resources is 1",
			one.resource, len(shares))
	}
	var uuids []string
	for _, share := range shares {
		if uuid, _, _ := strings.Cut(share, "::"); !contains(uuids, uuid) {
			uuids = append(uuids, uuid)
		}
	}
	given := &api.ContainerAllocateResponse{}
	for _, strategy := range one.strategies {
		switch strategy {
		case "envvar":
			given.Envs = map[string]string{"NVIDIA_VISIBLE_DEVICES": strings.Join(uuids, ",")}
		case "cdi-cri":
			for _, uuid := range uuids {
				given.CdiDevices = append(given.CdiDevices, &api.CDIDevice{Name: "nvidia.com/gpu=" + uuid})
			}
		}
	}
	return given, nil
}

func contains(words []string, word string) bool {
	for _, one := range words {
		if one == word {
			return true
		}
	}
	return false
}
