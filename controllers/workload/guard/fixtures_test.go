package guard

import (
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

func facts() Facts {
	return Facts{
		Owner:     swarmobj.Owner{Tenant: "acme", Kind: "TenantContainer", Name: "web", UID: "uid-1"},
		NetworkID: "net1",
		Secrets:   map[string]string{"acme_db_1": "s1"},
		Configs:   map[string]string{"acme_shop_1": "c1"},
		Volumes: map[string]Volume{
			"acme_data_1":    {Labels: map[string]string{"io.dogker.name": "data"}, NodeID: "n1"},
			"acme_catalog_1": {Driver: "example/nfs:1", Options: map[string]string{"share": "/a"}, Labels: map[string]string{"io.dogker.name": "catalog"}, ReadOnly: true},
		},
	}
}

// safe sets every field that is allowed, to something that is allowed. It is written by hand: nothing of the renderer
// may help the guard to be right.
func safe() swarm.ServiceSpec {
	policy := func() *swarm.UpdateConfig {
		return &swarm.UpdateConfig{
			Parallelism: 1, Delay: time.Second, FailureAction: "pause", Monitor: time.Second, MaxFailureRatio: 0.5, Order: "stop-first",
		}
	}

	return swarm.ServiceSpec{
		Annotations: swarm.Annotations{Name: "acme_web", Labels: map[string]string{
			"io.dogker.managed": "true", "io.dogker.tenant": "acme", "io.dogker.kind": "TenantContainer", "io.dogker.name": "web",
			"io.dogker.uid": "uid-1", "io.dogker.generation": "1",
		}},
		Mode:           swarm.ServiceMode{Replicated: &swarm.ReplicatedService{Replicas: new(uint64(1))}},
		UpdateConfig:   policy(),
		RollbackConfig: policy(),
		EndpointSpec: &swarm.EndpointSpec{Mode: "vip", Ports: []swarm.PortConfig{
			{Protocol: "tcp", TargetPort: 80, PublishedPort: 8080, PublishMode: "ingress"},
		}},
		TaskTemplate: swarm.TaskSpec{
			Runtime:     "container",
			ForceUpdate: 3,
			ContainerSpec: &swarm.ContainerSpec{
				Image: "registry.example:5000/a/b:1@sha256:" + hex64, Labels: map[string]string{"team": "shop"},
				Command: []string{"/app"}, Args: []string{"-v"}, Hostname: "web", Env: []string{"A=1"}, Dir: "/srv",
				User: "1000:1000", Init: new(true), StopSignal: "SIGTERM", ReadOnly: true, StopGracePeriod: new(30 * time.Second),
				Mounts: []mount.Mount{
					{Type: "tmpfs", Target: "/tmp", TmpfsOptions: &mount.TmpfsOptions{SizeBytes: 1 << 20, Mode: 0o700}},
					{Type: "volume", Source: "acme_data_1", Target: "/data", VolumeOptions: &mount.VolumeOptions{Labels: map[string]string{"io.dogker.name": "data"}}},
					{Type: "volume", Source: "acme_catalog_1", Target: "/catalog", ReadOnly: true, VolumeOptions: &mount.VolumeOptions{
						Labels:       map[string]string{"io.dogker.name": "catalog"},
						DriverConfig: &mount.Driver{Name: "example/nfs:1", Options: map[string]string{"share": "/a"}},
					}},
				},
				Healthcheck: &container.HealthConfig{
					Test: []string{"CMD", "/app"}, Interval: time.Second, Timeout: time.Second, StartPeriod: time.Second, Retries: 1,
				},
				Hosts: []string{"10.0.0.1 db.example"},
				Secrets: []*swarm.SecretReference{{
					SecretID: "s1", SecretName: "acme_db_1", File: &swarm.SecretReferenceFileTarget{Name: "/etc/a", UID: "0", GID: "0", Mode: 0o444},
				}},
				Configs: []*swarm.ConfigReference{{
					ConfigID: "c1", ConfigName: "acme_shop_1", File: &swarm.ConfigReferenceFileTarget{Name: "/etc/b", UID: "0", GID: "0", Mode: 0o444},
				}},
				Sysctls:       map[string]string{"net.ipv4.tcp_syncookies": "1"},
				CapabilityAdd: []string{"CAP_CHOWN"}, CapabilityDrop: []string{"ALL"},
				Ulimits: []*container.Ulimit{{Name: "nofile", Soft: 1, Hard: 2}},
			},
			Resources: &swarm.ResourceRequirements{
				Limits:       &swarm.Limit{NanoCPUs: 1e9, MemoryBytes: 8 << 20, Pids: 5},
				Reservations: &swarm.Resources{NanoCPUs: 1e8, MemoryBytes: 4 << 20},
			},
			RestartPolicy: &swarm.RestartPolicy{
				Condition: "any", Delay: new(time.Second), MaxAttempts: new(uint64(1)), Window: new(time.Second),
			},
			Placement: &swarm.Placement{
				Constraints: []string{"node.role == worker", "node.id==n1"}, MaxReplicas: 1,
				Preferences: []swarm.PlacementPreference{{Spread: &swarm.SpreadOver{SpreadDescriptor: "node.labels.zone"}}},
				Platforms:   []swarm.Platform{{OS: "linux", Architecture: "amd64"}},
			},
			Networks:  []swarm.NetworkAttachmentConfig{{Target: "net1", Aliases: []string{"web"}}},
			LogDriver: &swarm.Driver{Name: "json-file", Options: map[string]string{"max-size": "1048576", "max-file": "2"}},
		},
	}
}

const hex64 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
