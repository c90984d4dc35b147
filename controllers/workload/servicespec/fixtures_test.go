package servicespec_test

import (
	"bytes"
	"testing"

	"github.com/docker/docker/api/types/swarm"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/guard"
	"github.com/dogker/dogker/controllers/workload/servicespec"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

const (
	networkID = "network0000000000000000id"
	image     = "registry.example/shop:1.4@sha256:" + zeros
	zeros     = "0000000000000000000000000000000000000000000000000000000000000000"
)

func owner() swarmobj.Owner {
	return swarmobj.Owner{Tenant: "acme", Kind: "TenantContainer", Name: "web", UID: "11111111-2222-3333-4444-555555555555"}
}

// minimal is the smallest template there is, as the API server hands it over.
func minimal() *v1alpha1.TenantContainerSpec {
	return &v1alpha1.TenantContainerSpec{Image: "registry.example/shop:1.4", Mode: v1alpha1.ModeReplicated}
}

// inputOf runs one task of a template.
func inputOf(t *v1alpha1.TenantContainerSpec) servicespec.Input {
	return servicespec.Input{
		Owner: owner(), Template: t, Replicas: 1, Image: image, NetworkID: networkID,
		Generation: 3, Revision: 2, TemplateHash: "b4cd5fgh67", RequestedImage: string(t.Image),
	}
}

func build(t testing.TB, in servicespec.Input) swarm.ServiceSpec {
	t.Helper()

	spec, err := servicespec.Build(in)
	if err != nil {
		t.Fatalf("Build: %v", err)
	}

	return spec
}

// factsOf are what the guard may know of an input.
func factsOf(in servicespec.Input) guard.Facts {
	facts := guard.Facts{
		Owner: in.Owner, NetworkID: in.NetworkID, Secrets: map[string]string{}, Configs: map[string]string{}, OffManagers: in.OffManagers,
		NoNewPrivileges: in.NoNewPrivileges, Volumes: map[string]guard.Volume{},
	}
	for _, v := range in.Volumes {
		facts.Volumes[v.Source] = guard.Volume{Driver: v.Driver, Options: v.Options, Labels: v.Labels, NodeID: v.NodeID}
	}
	for _, f := range in.Files {
		if f.Kind == servicespec.KindSecret {
			facts.Secrets[f.SwarmName] = f.SwarmID
		} else {
			facts.Configs[f.SwarmName] = f.SwarmID
		}
	}

	return facts
}

func quantity(s string) *resource.Quantity {
	return new(resource.MustParse(s))
}

// complete sets every field of a template that can be set at once.
func complete() *v1alpha1.TenantContainerSpec {
	return &v1alpha1.TenantContainerSpec{
		Image:            "registry.example/shop:1.4",
		ImagePullPolicy:  v1alpha1.PullAlways,
		ImagePullSecrets: []v1alpha1.LocalObjectReference{{Name: "registry"}},
		Command:          []v1alpha1.Text{"/app"},
		Args:             []v1alpha1.Text{"-listen", ":8080"},
		WorkingDir:       "/srv",
		Env: []v1alpha1.EnvVar{
			{Name: "MODE", Value: new(v1alpha1.Text("production"))},
			{Name: "PASSWORD", ValueFrom: &v1alpha1.EnvVarSource{SecretKeyRef: &v1alpha1.KeySelector{Name: "db", Key: "password"}}},
		},
		EnvFrom: []v1alpha1.EnvFromSource{{Prefix: "SHOP_", ConfigMapRef: &v1alpha1.ObjectSource{Name: "shop"}}},
		Files: []v1alpha1.File{
			{Path: "/etc/shop/tls.key", SecretKeyRef: &v1alpha1.KeySelector{Name: "db", Key: "tls.key"}, Mode: new(int32(0o400)), UID: new(int64(1000)), GID: new(int64(1001))},
			{Path: "/etc/shop/shop.conf", ConfigMapKeyRef: &v1alpha1.KeySelector{Name: "shop", Key: "conf"}},
		},
		Ports: []v1alpha1.Port{
			{Name: "metrics", ContainerPort: 9100, Protocol: "TCP"},
			{Name: "http", ContainerPort: 8080, Protocol: "TCP", Publish: &v1alpha1.PortPublication{Mode: v1alpha1.PublishHost, Port: 80}},
			{Name: "dns", ContainerPort: 5353, Protocol: "UDP", Publish: &v1alpha1.PortPublication{Mode: v1alpha1.PublishHost, Port: 53}},
		},
		Mode: v1alpha1.ModeReplicated,
		Resources: &v1alpha1.Resources{
			Requests: &v1alpha1.ResourceRequests{CPU: quantity("20m"), Memory: quantity("16Mi")},
			Limits:   &v1alpha1.ResourceLimits{CPU: quantity("500m"), Memory: quantity("64Mi"), Pids: new(int64(100))},
		},
		HealthCheck: &v1alpha1.HealthCheck{
			Exec:          &v1alpha1.ExecCheck{Command: []v1alpha1.CheckText{"/app", "-check"}},
			PeriodSeconds: new(int32(2)), TimeoutSeconds: new(int32(3)), FailureThreshold: new(int32(4)), StartPeriodSeconds: new(int32(5)),
		},
		RestartPolicy: &v1alpha1.RestartPolicy{
			Condition: v1alpha1.RestartOnFailure, DelaySeconds: new(int32(6)), MaxAttempts: new(int32(7)), WindowSeconds: new(int32(80)),
		},
		StopSignal:                    "SIGQUIT",
		TerminationGracePeriodSeconds: new(int64(9)),
		Placement: &v1alpha1.Placement{
			Constraints:        []string{"node.platform.os == linux", "node.labels.zone != b"},
			Spread:             []string{"node.labels.zone"},
			MaxReplicasPerNode: new(int32(3)),
			Platforms:          []v1alpha1.Platform{{OS: "linux", Architecture: "amd64"}, {OS: "linux", Architecture: "arm64"}},
		},
		Security: &v1alpha1.Security{
			RunAsUser: new(int64(1000)), RunAsGroup: new(int64(1001)), ReadOnlyRootFilesystem: true, Init: new(false),
			Capabilities: &v1alpha1.Capabilities{Add: []string{"NET_BIND_SERVICE", "CHOWN"}, Drop: []string{"ALL"}},
		},
		Hostname:   "shop",
		DNSAliases: []v1alpha1.DNSLabel{"www", "shop"},
		ExtraHosts: []v1alpha1.ExtraHost{{IP: "10.1.2.3", Hostnames: []v1alpha1.ObjectName{"db.example", "db"}}, {IP: "fd00::1", Hostnames: []v1alpha1.ObjectName{"six"}}},
		Sysctls:    map[string]v1alpha1.ShortText{"net.ipv4.ip_unprivileged_port_start": "0", "kernel.shm_rmid_forced": "1"},
		Ulimits:    []v1alpha1.Ulimit{{Name: "nofile", Soft: 1024, Hard: 2048}, {Name: "core", Soft: 0, Hard: 0}},
		Tmpfs:      []v1alpha1.Tmpfs{{MountPath: "/tmp", Size: *quantity("8Mi"), Mode: new(int32(0o1770))}, {MountPath: "/cache", Size: *quantity("4Mi")}},
		Volumes:    []v1alpha1.VolumeMount{{Name: "uploads", MountPath: "/var/lib/shop"}, {Name: "catalog", MountPath: "/srv/catalog", ReadOnly: true}},
		Labels:     map[string]v1alpha1.LabelText{"team": "shop", "example.com/tier": "front"},
		Logging:    &v1alpha1.Logging{Driver: "json-file", MaxSize: quantity("10Mi"), MaxFiles: new(int32(3))},
	}
}

// completeInput runs it in full.
func completeInput(t testing.TB) servicespec.Input {
	t.Helper()

	template := complete()
	env, err := servicespec.Env(template, objects)
	if err != nil {
		t.Fatal(err)
	}
	files, err := servicespec.Files(template, objects)
	if err != nil {
		t.Fatal(err)
	}

	in := inputOf(template)
	in.Env = env.Strings()
	key, err := swarmobj.NewDigestKey(bytes.Repeat([]byte{1}, swarmobj.DigestKeySize))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		owner := swarmobj.Owner{Tenant: "acme", Kind: string(f.Kind), Name: f.Name}
		in.Files = append(in.Files, f.Resolved("id-of-"+f.Name, key.ContentName(owner, f.Data)))
	}
	in.Volumes = []servicespec.ResolvedVolume{catalog(), uploads()}
	in.Replicas = 3
	in.ForceUpdate = 4
	in.RestartedAt = "2026-01-02T03:04:05Z"
	in.RegistryAuth = "0f1e2d3c"
	in.Rollout = &v1alpha1.Rollout{
		Parallelism: new(int32(2)), DelaySeconds: new(int32(3)), Order: v1alpha1.OrderStopFirst, MonitorSeconds: new(int32(4)),
		MaxFailurePercent: new(int32(10)), FailureAction: v1alpha1.FailureRollback, ProgressDeadlineSeconds: new(int32(60)),
	}

	return in
}

// catalog is a Volume that one node has, uploads one that all nodes reach.
func catalog() servicespec.ResolvedVolume {
	return servicespec.ResolvedVolume{Name: "catalog", Source: "acme_catalog_1a2b3c", Labels: labelsOf("catalog"), NodeID: "node1"}
}

func uploads() servicespec.ResolvedVolume {
	return servicespec.ResolvedVolume{
		Name: "uploads", Source: "acme_uploads_4d5e6f", Labels: labelsOf("uploads"),
		Driver: "local", Options: map[string]string{"type": "nfs", "device": ":/export/acme/uploads", "o": "addr=192.0.2.1,rw"},
	}
}

func labelsOf(volume string) map[string]string {
	return swarmobj.Owner{Tenant: "acme", Kind: v1alpha1.KindVolume, Name: volume, UID: "uid-of-" + volume}.Labels()
}

// objects are the Secrets and ConfigMaps that complete refers to.
func objects(kind servicespec.Kind, name string) (map[string][]byte, bool) {
	switch {
	case kind == servicespec.KindSecret && name == "db":
		return map[string][]byte{"password": []byte("correct horse"), "tls.key": []byte("a key")}, true
	case kind == servicespec.KindConfigMap && name == "shop":
		return map[string][]byte{"conf": []byte("listen 8080"), "COLOUR": []byte("green"), "no-name": []byte("x")}, true
	default:
		return nil, false
	}
}
