package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"

	api "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
	"sigs.k8s.io/yaml"
)

// What of NVIDIA's configuration file is understood; another key is refused, so that a typing mistake is seen.
type file struct {
	Version string `json:"version"`
	Flags   struct {
		MigStrategy     string `json:"migStrategy"`
		FailOnInitError *bool  `json:"failOnInitError"`
		Plugin          struct {
			DeviceListStrategy words  `json:"deviceListStrategy"`
			DeviceIDStrategy   string `json:"deviceIDStrategy"`
			PassDeviceSpecs    bool   `json:"passDeviceSpecs"`
		} `json:"plugin"`
	} `json:"flags"`
	Sharing struct {
		TimeSlicing struct {
			RenameByDefault            bool `json:"renameByDefault"`
			FailRequestsGreaterThanOne bool `json:"failRequestsGreaterThanOne"`
			Resources                  []struct {
				Name     string `json:"name"`
				Replicas int    `json:"replicas"`
			} `json:"resources"`
		} `json:"timeSlicing"`
	} `json:"sharing"`
}

// words is a list that may be written as one word.
type words []string

func (some *words) UnmarshalJSON(data []byte) error {
	var one string
	if yaml.Unmarshal(data, &one) == nil && one != "" {
		*some = strings.Split(one, ",")
		return nil
	}
	var several []string
	err := yaml.Unmarshal(data, &several)
	*some = several
	return err
}

type sharing struct {
	resource    string
	replicas    int
	refusesMore bool
	strategies  []string
}

type settings struct {
	sharing
	failsWithoutGPU bool
}

// readSettings reads the configuration file, and the variables that stand for its flags.
func readSettings(arguments []string, variable func(string) string) (settings, error) {
	place := variable("CONFIG_FILE")
	for i, argument := range arguments {
		if value, found := strings.CutPrefix(argument, "--config-file="); found {
			place = value
		} else if argument == "--config-file" && i+1 < len(arguments) {
			place = arguments[i+1]
		}
	}
	read := file{Version: "v1"}
	if place != "" {
		text, err := os.ReadFile(place)
		if err != nil {
			return settings{}, err
		}
		if err := yaml.UnmarshalStrict(text, &read); err != nil {
			return settings{}, err
		}
	}
	if read.Version != "v1" {
		return settings{}, fmt.Errorf("unknown version: %v", read.Version)
	}
	return read.meaning(variable)
}

func (read file) meaning(variable func(string) string) (settings, error) {
	slicing := read.Sharing.TimeSlicing
	found := settings{
		sharing: sharing{
			resource: "nvidia.com/gpu", replicas: 1, refusesMore: slicing.FailRequestsGreaterThanOne,
			strategies: read.Flags.Plugin.DeviceListStrategy,
		},
		failsWithoutGPU: read.Flags.FailOnInitError == nil || *read.Flags.FailOnInitError,
	}
	for _, resource := range slicing.Resources {
		if resource.Name != found.resource {
			return found, fmt.Errorf("unknown resource: %v", resource.Name)
		}
		if resource.Replicas < 2 {
			return found, fmt.Errorf("number of replicas must be >= 2")
		}
		found.replicas = resource.Replicas
		if slicing.RenameByDefault {
			found.resource += ".shared"
		}
	}
	if said := variable("FAIL_ON_INIT_ERROR"); said != "" {
		found.failsWithoutGPU = said == "true"
	}
	if said := variable("DEVICE_LIST_STRATEGY"); said != "" {
		found.strategies = strings.Split(said, ",")
	}
	if len(found.strategies) == 0 {
		found.strategies = []string{"envvar"}
	}
	return found, nil
}

// offered returns what the kubelet is told of: each GPU, or as many shares of it as are wanted.
func (some sharing) offered(uuids []string) []*api.Device {
	var devices []*api.Device
	for _, uuid := range uuids {
		if some.replicas == 1 {
			devices = append(devices, &api.Device{ID: uuid, Health: api.Healthy})
			continue
		}
		for share := range some.replicas {
			devices = append(devices, &api.Device{ID: fmt.Sprintf("%s::%d", uuid, share), Health: api.Healthy})
		}
	}
	return devices
}

var uuid = regexp.MustCompile(`UUID: (GPU-[0-9a-f-]+)`)

// givenGPUs asks the driver that the container runtime has put into this container, if it has.
func givenGPUs() ([]string, error) {
	told, err := exec.Command("nvidia-smi", "-L").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("no driver in this container: %s", strings.TrimSpace(string(told)+" "+err.Error()))
	}
	var found []string
	for _, match := range uuid.FindAllStringSubmatch(string(told), -1) {
		found = append(found, match[1])
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no GPU in this container: %s", told)
	}
	return found, nil
}
