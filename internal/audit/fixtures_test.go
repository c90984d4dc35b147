package audit

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/docker/docker/api/types/registry"
	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/api/types/system"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

var today = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// The places of workloads in right.
const (
	ours = iota
	foreign
	single
)

// right is a cluster in which everything is as it should be: three nodes whose manager is drained, a container of a
// tenant, a service of somebody else, and a container of no service.
func right(t *testing.T) Input {
	t.Helper()

	return Input{
		Now: today,
		Engine: Engine{
			APIVersion: "1.47", BridgeTalks: new(false),
			Info: system.Info{
				Name: "node1", ServerVersion: "27.1.0", Driver: "overlay2", LoggingDriver: "syslog", DockerRootDir: "/var/lib/docker",
				SecurityOptions: []string{"name=apparmor", "name=selinux", "name=seccomp,profile=builtin", "name=userns", "name=no-new-privileges"},
				Plugins:         system.PluginsInfo{Authorization: []string{"opa"}},
				Swarm:           swarm.Info{NodeID: "n1", ControlAvailable: true, LocalNodeState: swarm.LocalNodeStateActive},
				RegistryConfig: &registry.ServiceConfig{
					IndexConfigs:          map[string]*registry.IndexInfo{"docker.io": {Secure: true}, "127.0.0.1:5000": {}},
					InsecureRegistryCIDRs: []*registry.NetIPNet{cidr("127.0.0.0/8")},
				},
			},
		},
		Swarm: &Swarm{
			Cluster: swarm.ClusterInfo{
				ID: "s1", TLSInfo: swarm.TLSInfo{TrustRoot: rootOf(t, today.AddDate(0, -1, 0))},
				Spec: swarm.Spec{
					CAConfig:         swarm.CAConfig{NodeCertExpiry: 48 * time.Hour},
					EncryptionConfig: swarm.EncryptionConfig{AutoLockManagers: true},
				},
			},
			Nodes: []swarm.Node{
				node("n1", swarm.NodeRoleManager, swarm.NodeAvailabilityDrain),
				node("n2", swarm.NodeRoleWorker, swarm.NodeAvailabilityActive),
				node("n3", swarm.NodeRoleWorker, swarm.NodeAvailabilityActive),
			},
		},
		Host: &Host{
			Files: map[string]File{
				FileDockerService: {0o644, "root", "root"}, FileDockerSocketUnit: {0o644, "root", "root"},
				FileDockerDir: {0o755, "root", "root"}, FileEngineSocket: {0o660, "root", "docker"},
				FileDaemonJSON: {0o600, "root", "root"}, FileDefaults: {0o644, "root", "root"},
				FileSysconfig: {0o644, "root", "root"}, FileContainerdSocket: {0o660, "root", "root"},
			},
			OwnPartition: new(true), ListenAddresses: []string{"10.0.0.1"},
		},
		Networks: []Network{
			{Object{Kind: KindNetwork, Namespace: "acme", Name: "acme_default", Owner: OwnerDogker}, true},
			{Object{Kind: KindNetwork, Name: "theirs", Owner: OwnerForeign}, true},
		},
		Workloads: []Workload{
			{
				Object: Object{Kind: KindTenantContainer, Namespace: "acme", Name: "web", Owner: OwnerDogker},
				Spec:   asked(), Live: []Container{live("a1")}, Guarded: true,
			},
			{Object: Object{Kind: KindService, Name: "theirs", Owner: OwnerForeign}, Spec: asked(), Live: []Container{live("b1")}},
			{Object: Object{Kind: KindContainer, Name: "alone", Owner: OwnerForeign}, Live: []Container{alone()}},
		},
		Declared: []Declared{{Container: web(), Tenant: acme(), Plan: &v1alpha1.Plan{ObjectMeta: metav1.ObjectMeta{Name: "small"}}}},
		Deliveries: []Delivery{
			{
				Object: Object{Kind: KindGitSync, Namespace: "acme", Name: "shop", Owner: OwnerDogker},
				URL:    "https://git.example/acme/shop", Account: "gitsync",
			},
			{
				Object: Object{Kind: KindGitSync, Namespace: "dogker-system", Name: "platform", Owner: OwnerDogker},
				URL:    "ssh://git@git.example/platform", Account: "platform", Verified: true, Platform: true,
				Grants: []Grant{{Binding: `ClusterRoleBinding "platform"`, Role: `ClusterRole "dogker-operator"`, Elsewhere: true}},
			},
			{Object: Object{Kind: KindImagePolicy, Namespace: "acme", Name: "shop", Owner: OwnerDogker}, Account: "gitsync"},
		},
	}
}

// asked is what a service asks for.
func asked() *Container {
	return &Container{
		Service: true, Image: "registry.example/shop:1.4", User: "65532:65532", CapDrop: []string{"ALL"}, ReadOnlyRoot: true,
		Networks: []string{"acme_default"}, MemoryBytes: 256 << 20, NanoCPUs: 5e8, PIDs: 256,
		Ports:   []Port{{Published: 8080, Target: 8080, Protocol: "tcp", Address: "10.0.0.1"}},
		Restart: Restart{Condition: "any", Delay: 5 * time.Second}, Health: HealthChecked, EnvNames: []string{"PORT", "DB_PASSWORD_FILE"},
		Ulimits: []Ulimit{{"nofile", 1024, 65536}},
		Mounts:  []Mount{{Target: "/tmp"}, {HostPath: "/srv/data", Target: "/data", Propagation: "rprivate"}},
	}
}

// live is a container that the engine has made of it.
func live(id string) Container {
	c := *asked()
	c.ID, c.Restart = id, Restart{Condition: "no"}
	c.AppArmorProfile, c.SELinuxLabel = "docker-default", "system_u:system_r:container_t:s0:c1,c2"
	c.NetworkMode, c.IPCMode = "default", "private"
	c.Commands = []string{"shop"}
	c.Process = &Process{UID: 65532, NoNewPrivileges: true, Seccomp: 2}

	return c
}

func alone() Container {
	c := live("c1")
	c.Service, c.NetworkMode = false, "acme_default"

	return c
}

func node(id string, role swarm.NodeRole, a swarm.NodeAvailability) swarm.Node {
	return swarm.Node{
		ID: id, Spec: swarm.NodeSpec{Role: role, Availability: a}, Description: swarm.NodeDescription{Hostname: "node" + id[1:]},
	}
}

func acme() *v1alpha1.Tenant {
	return &v1alpha1.Tenant{ObjectMeta: metav1.ObjectMeta{Name: "acme"}, Spec: v1alpha1.TenantSpec{PlanName: "small"}}
}

// web is a container as the profile restricted leaves it when it says nothing.
func web() *v1alpha1.TenantContainer {
	quantity := func(s string) *resource.Quantity { return new(resource.MustParse(s)) }

	return &v1alpha1.TenantContainer{
		ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "web"},
		Spec: v1alpha1.TenantContainerSpec{
			Image:    "registry.example/shop:1.4",
			Security: &v1alpha1.Security{RunAsUser: new(int64(65532)), RunAsGroup: new(int64(65532)), Capabilities: &v1alpha1.Capabilities{Drop: []string{"ALL"}}},
			Resources: &v1alpha1.Resources{
				Requests: &v1alpha1.ResourceRequests{CPU: quantity("50m"), Memory: quantity("64Mi")},
				Limits:   &v1alpha1.ResourceLimits{CPU: quantity("500m"), Memory: quantity("256Mi"), Pids: new(int64(256))},
			},
		},
	}
}

func cidr(s string) *registry.NetIPNet {
	_, n, err := net.ParseCIDR(s)
	if err != nil {
		panic(err)
	}

	return (*registry.NetIPNet)(n)
}

// rootOf is a certificate of a CA that was made at that time.
func rootOf(t *testing.T, made time.Time) string {
	t.Helper()

	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: made, NotAfter: made.AddDate(20, 0, 0), IsCA: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}

	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// The ways in which a case differs from what is right.

func in(place int, change func(c *Container)) func(*Input) {
	return func(in *Input) { change(&in.Workloads[place].Live[0]) }
}

func spec(place int, change func(c *Container)) func(*Input) {
	return func(in *Input) { change(in.Workloads[place].Spec) }
}

func info(change func(i *system.Info)) func(*Input) {
	return func(in *Input) { change(&in.Engine.Info) }
}

func cluster(change func(s *Swarm)) func(*Input) {
	return func(in *Input) { change(in.Swarm) }
}

func host(change func(h *Host)) func(*Input) {
	return func(in *Input) { change(in.Host) }
}

func file(name string, f File) func(*Input) {
	return func(in *Input) { in.Host.Files[name] = f }
}

func declared(change func(s *v1alpha1.TenantContainerSpec)) func(*Input) {
	return func(in *Input) { change(&in.Declared[0].Container.Spec) }
}

func lacking(option string) func(*Input) {
	return info(func(i *system.Info) {
		var kept []string
		for _, o := range i.SecurityOptions {
			if o != "name="+option {
				kept = append(kept, o)
			}
		}
		i.SecurityOptions = kept
	})
}

func all(changes ...func(*Input)) func(*Input) {
	return func(in *Input) {
		for _, change := range changes {
			change(in)
		}
	}
}
