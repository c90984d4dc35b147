package audit

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"
	"github.com/google/go-cmp/cmp"
)

// TestOfService reads a service that asks for everything that is wrong.
func TestOfService(t *testing.T) {
	s := swarm.ServiceSpec{
		TaskTemplate: swarm.TaskSpec{
			ContainerSpec: &swarm.ContainerSpec{
				Image: "evil", User: "0", CapabilityAdd: []string{"CAP_SYS_ADMIN"}, Env: []string{"DB_PASSWORD=" + password, "EMPTY=", "NOTHING"},
				Mounts: []mount.Mount{
					{Type: mount.TypeBind, Source: "/", Target: "/host", BindOptions: &mount.BindOptions{Propagation: mount.PropagationRShared}},
					{Type: mount.TypeVolume, Source: "mine", Target: "/data"},
					{Type: mount.TypeVolume, Target: "/e", VolumeOptions: &mount.VolumeOptions{DriverConfig: &mount.Driver{
						Name: "local", Options: map[string]string{"type": "none", "o": "bind", "device": "/etc"},
					}}},
					{Type: mount.TypeVolume, Source: `a-{{"x"}}`, Target: "/t"},
				},
				Healthcheck: &container.HealthConfig{Test: []string{"NONE"}},
				Privileges: &swarm.Privileges{
					NoNewPrivileges: true, SELinuxContext: &swarm.SELinuxContext{Disable: true},
					Seccomp: &swarm.SeccompOpts{Mode: swarm.SeccompModeUnconfined}, AppArmor: &swarm.AppArmorOpts{Mode: swarm.AppArmorModeDisabled},
				},
				Ulimits: []*container.Ulimit{nil, {Name: "nproc", Soft: -1, Hard: -1}},
			},
			Networks:      []swarm.NetworkAttachmentConfig{{Target: "h1"}, {Target: "gone"}},
			RestartPolicy: &swarm.RestartPolicy{Condition: swarm.RestartPolicyConditionAny, Delay: new(time.Duration(0))},
		},
		Networks:     []swarm.NetworkAttachmentConfig{{Target: "b1"}}, //nolint:staticcheck // The engine obeys the old field, too.
		EndpointSpec: &swarm.EndpointSpec{Ports: []swarm.PortConfig{{PublishedPort: 22, TargetPort: 22}}},
	}

	want := Container{
		Service: true, Image: "evil", User: "0", CapAdd: []string{"CAP_SYS_ADMIN"}, EnvNames: []string{"DB_PASSWORD"},
		Mounts: []Mount{
			{HostPath: "/", Target: "/host", Propagation: "rshared"},
			{Target: "/data"},
			{HostPath: "/etc", Target: "/e"},
			{HostPath: `a-{{"x"}}`, Target: "/t"},
		},
		SecurityOpt: []string{"no-new-privileges", "seccomp=unconfined", "apparmor=unconfined", "label=disable"},
		Networks:    []string{"host", "gone", "bridge"},
		Ports:       []Port{{Published: 22, Target: 22, Protocol: "tcp"}},
		Ulimits:     []Ulimit{{"nproc", -1, -1}},
		Restart:     Restart{Condition: "any"},
		Health:      HealthDisabled,
	}
	if diff := cmp.Diff(want, OfService(s, map[string]string{"h1": "host", "b1": "bridge"})); diff != "" {
		t.Errorf("container of the service (-want +got):\n%s", diff)
	}
}

// TestOfServiceThatSaysNothing: what Swarm does for it is not what the zero value says.
func TestOfServiceThatSaysNothing(t *testing.T) {
	got := OfService(swarm.ServiceSpec{}, nil)
	want := Container{Service: true, Restart: Restart{Condition: "any", Delay: 5 * time.Second}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("container of an empty service (-want +got):\n%s", diff)
	}
}

func TestHostPathOfVolume(t *testing.T) {
	cases := map[string]struct {
		reason  string
		options map[string]string
		want    string
	}{
		"Plain":    {"The engine keeps it itself.", nil, ""},
		"Bind":     {"It is a bind mount by another name.", map[string]string{"type": "none", "o": "rbind,ro", "device": "/etc"}, "/etc"},
		"Disk":     {"The disk has other file systems.", map[string]string{"type": "ext4", "device": "/dev/sda1"}, "/dev/sda1"},
		"Template": {"It may become anything.", map[string]string{"o": `{{"bi"}}nd`, "device": "/srv"}, "{{…}} in the options of a volume"},
		"NFS":      {"It is another machine's.", map[string]string{"type": "nfs4", "o": "addr=10.0.0.9", "device": ":/export"}, ""},
		"CIFS":     {"It is another machine's, and its password is nobody's business.", map[string]string{"type": "cifs", "o": "password=" + password, "device": "//nas/share"}, ""},
		"Memory":   {"It is of no disk.", map[string]string{"type": "tmpfs", "device": "tmpfs"}, ""},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := HostPathOfVolume(tc.options); got != tc.want {
				t.Errorf("%s\ngot %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
}

// inspected is what an engine answers about a container, as JSON: that is what engines of all versions have in common.
const inspected = `{
  "Id": "c0ffee", "AppArmorProfile": "docker-default", "ProcessLabel": "label",
  "HostConfig": {
    "Privileged": true, "ReadonlyRootfs": true, "PublishAllPorts": true, "CapAdd": ["SYS_ADMIN"], "CapDrop": ["ALL"],
    "NetworkMode": "host", "PidMode": "host", "IpcMode": "host", "UTSMode": "host", "UsernsMode": "host",
    "Memory": 1, "NanoCpus": 2, "CpuShares": 3, "CpuQuota": 4, "PidsLimit": 5, "CgroupParent": "/x",
    "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 7},
    "SecurityOpt": ["no-new-privileges:true", "seccomp:unconfined", "apparmor=unconfined", "seccomp={\"defaultAction\":\"x\"}", "no-new-privileges=false"],
    "Devices": [{"PathOnHost": "/dev/sda"}], "DeviceCgroupRules": ["c 1:3 mr"], "DeviceRequests": [{"Driver": "nvidia"}],
    "PortBindings": {"80/tcp": [{"HostPort": "8080"}], "81/udp": [{"HostPort": ""}]}
  },
  "Config": {
    "Image": "evil:1", "User": "app", "Env": ["API_TOKEN=correct-horse-battery-staple"], "Labels": {"com.docker.swarm.service.name": "evil"},
    "Healthcheck": {"Test": ["CMD", "true"]}
  },
  "NetworkSettings": {
    "Networks": {"theirs": {}, "bridge": {}},
    "Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}], "81/udp": [{"HostIp": "::", "HostPort": "49153"}], "82/tcp": null}
  },
  "Mounts": [
    {"Type": "bind", "Source": "/var/run/docker.sock", "Destination": "/s", "RW": true, "Propagation": "rprivate"},
    {"Type": "volume", "Name": "mine", "Source": "/var/lib/docker/volumes/mine/_data", "Destination": "/data", "RW": false},
    {"Type": "volume", "Name": "bound", "Source": "/var/lib/docker/volumes/bound/_data", "Destination": "/e", "RW": true},
    {"Type": "tmpfs", "Destination": "/tmp", "RW": true}
  ]
}`

func TestOfContainer(t *testing.T) {
	var in container.InspectResponse
	if err := json.Unmarshal([]byte(inspected), &in); err != nil {
		t.Fatal(err)
	}

	got := OfContainer(in, map[string]string{"bound": "/etc"})
	want := Container{
		ID: "c0ffee", Service: true, Image: "evil:1", User: "app", AppArmorProfile: "docker-default", SELinuxLabel: "label",
		Privileged: true, ReadOnlyRoot: true, PublishAll: true, CapAdd: []string{"SYS_ADMIN"}, CapDrop: []string{"ALL"},
		NetworkMode: "host", PIDMode: "host", IPCMode: "host", UTSMode: "host", UserNSMode: "host",
		MemoryBytes: 1, NanoCPUs: 2, CPUShares: 3, CPUQuota: 4, PIDs: 5, CgroupParent: "/x",
		Restart:     Restart{Condition: "on-failure", MaxAttempts: 7},
		SecurityOpt: []string{"no-new-privileges", "seccomp=unconfined", "apparmor=unconfined", "seccomp=custom", "no-new-privileges=false"},
		Devices:     []string{"/dev/sda", "by request of nvidia", "rule c 1:3 mr"},
		EnvNames:    []string{"API_TOKEN"}, Health: HealthChecked, Networks: []string{"bridge", "theirs"},
		Ports: []Port{{"0.0.0.0", 8080, 80, "tcp"}, {"::", 0, 81, "udp"}},
		Mounts: []Mount{
			{HostPath: "/var/run/docker.sock", Target: "/s", Propagation: "rprivate"},
			{Target: "/data", ReadOnly: true}, {HostPath: "/etc", Target: "/e"}, {Target: "/tmp"},
		},
		CommandsUnseen: got.CommandsUnseen, ProcessUnseen: got.ProcessUnseen,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("container (-want +got):\n%s", diff)
	}
	if got.CommandsUnseen == "" || got.ProcessUnseen == "" {
		t.Error("what has not been looked at is not said to be unseen")
	}
	if strings.Contains(string(mustJSON(t, got)), password) {
		t.Error("the value of a variable got into the container")
	}
}

// TestOfContainerThatIsEmpty: an answer without its parts must not end the audit.
func TestOfContainerThatIsEmpty(t *testing.T) {
	for name, in := range map[string]container.InspectResponse{
		"Nothing":      {},
		"NoHostConfig": {ContainerJSONBase: &container.ContainerJSONBase{ID: "x"}, NetworkSettings: &container.NetworkSettings{}},
		"NoConfig": {ContainerJSONBase: &container.ContainerJSONBase{ID: "x", HostConfig: &container.HostConfig{}}, NetworkSettings: &container.NetworkSettings{
			Networks: map[string]*network.EndpointSettings{"bridge": nil},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := OfContainer(in, nil); got.Health != HealthNone {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()

	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}

	return raw
}
