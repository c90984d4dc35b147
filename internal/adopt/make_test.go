package adopt_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"
	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/adopt"
)

const pinned = "registry.test/web:1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// service is one as `docker stack deploy` leaves it.
func service(short string, changes ...func(*swarm.Service)) swarm.Service {
	s := swarm.Service{ID: "id-" + short}
	s.Spec = swarm.ServiceSpec{
		Annotations: swarm.Annotations{Name: "shop_" + short, Labels: map[string]string{
			"com.docker.stack.namespace": "shop", "com.docker.stack.image": "registry.test/web:1",
		}},
		TaskTemplate: swarm.TaskSpec{
			ContainerSpec: &swarm.ContainerSpec{
				Image: pinned, Labels: map[string]string{"com.docker.stack.namespace": "shop"}, Isolation: container.IsolationDefault,
				Privileges: &swarm.Privileges{},
			},
			Networks:  []swarm.NetworkAttachmentConfig{{Target: "net-shop", Aliases: []string{short}}},
			Placement: &swarm.Placement{Platforms: []swarm.Platform{{OS: "linux", Architecture: "amd64"}, {OS: "linux"}}},
		},
		Mode:         swarm.ServiceMode{Replicated: &swarm.ReplicatedService{Replicas: new(uint64(2))}},
		EndpointSpec: &swarm.EndpointSpec{Mode: "dnsrr"},
	}
	for _, change := range changes {
		change(&s)
	}

	return s
}

func live(services ...swarm.Service) *adopt.Live {
	return &adopt.Live{
		Services: services,
		Others: []swarm.Service{{Spec: swarm.ServiceSpec{Annotations: swarm.Annotations{Name: "proxy"}, TaskTemplate: swarm.TaskSpec{
			Networks: []swarm.NetworkAttachmentConfig{{Target: "net-public"}},
		}}}},
		Networks: map[string]network.Summary{
			"net-shop": {ID: "net-shop", Name: "shop_default", Scope: "swarm", Driver: "overlay"},
			"net-back": {ID: "net-back", Name: "shop_back"}, "net-public": {ID: "net-public", Name: "public"},
		},
		Configs: map[string][]byte{"cfg-1": []byte("a=b\n")},
	}
}

func options() adopt.Options { return adopt.Options{Namespace: "shop", Network: "net-shop"} }

func con(s *swarm.Service) *swarm.ContainerSpec { return s.Spec.TaskTemplate.ContainerSpec }

func TestMakeOfAPlainService(t *testing.T) {
	got := adopt.Make(live(service("web", func(s *swarm.Service) {
		con(s).Env, con(s).Args = []string{"LEVEL=info", "EMPTY="}, []string{"-v"}
		con(s).Configs = []*swarm.ConfigReference{{
			ConfigID: "cfg-1", ConfigName: "shop_app", File: &swarm.ConfigReferenceFileTarget{Name: "/etc/app.conf", UID: "0", GID: "0", Mode: 0o444},
		}}
		con(s).StopGracePeriod = new(20 * time.Second)
		s.Spec.TaskTemplate.Resources = &swarm.ResourceRequirements{Limits: &swarm.Limit{NanoCPUs: 250e6, MemoryBytes: 64 << 20}}
		s.Spec.EndpointSpec = &swarm.EndpointSpec{Mode: "vip", Ports: []swarm.PortConfig{{Protocol: "tcp", TargetPort: 80, PublishMode: "ingress"}}}
		s.Endpoint.Ports = []swarm.PortConfig{{Protocol: "tcp", TargetPort: 80, PublishedPort: 30007, PublishMode: "ingress"}}
	})), options())

	if len(got.LeftAlone) > 0 || len(got.Adoptions) != 1 || len(got.ConfigMaps) != 1 || got.Losses() > 0 {
		t.Fatalf("left alone %q, %d adoptions, findings %v", got.LeftAlone, len(got.Adoptions), got.Findings)
	}
	tc := got.Adoptions[0].Container
	want := v1alpha1.TenantContainerSpec{
		Image: "registry.test/web:1", Args: []v1alpha1.Text{"-v"}, Replicas: new(int32(2)), TerminationGracePeriodSeconds: new(int64(20)),
		Env:          []v1alpha1.EnvVar{{Name: "EMPTY", Value: new(v1alpha1.Text(""))}, {Name: "LEVEL", Value: new(v1alpha1.Text("info"))}},
		Files:        []v1alpha1.File{{Path: "/etc/app.conf", ConfigMapKeyRef: &v1alpha1.KeySelector{Name: "app", Key: "app"}}},
		Ports:        []v1alpha1.Port{{ContainerPort: 80, Protocol: "TCP", Publish: &v1alpha1.PortPublication{Mode: v1alpha1.PublishIngress, Port: 30007}}},
		EndpointMode: v1alpha1.EndpointVIP, Resources: tc.Spec.Resources,
	}
	if diff := cmp.Diff(want, tc.Spec); diff != "" {
		t.Errorf("the container is not what runs (-want +got):\n%s", diff)
	}
	if l := tc.Spec.Resources.Limits; l.CPU.MilliValue() != 250 || l.Memory.Value() != 64<<20 {
		t.Errorf("limits are %s and %s", l.CPU, l.Memory)
	}
	if tc.Annotations[v1alpha1.AnnotationAdopt] != "id-web" || tc.Name != "web" || tc.Namespace != "shop" {
		t.Errorf("it is to adopt %q, as %s/%s", tc.Annotations[v1alpha1.AnnotationAdopt], tc.Namespace, tc.Name)
	}
	if got.ConfigMaps[0].Data["app"] != "a=b\n" {
		t.Errorf("the ConfigMap holds %v", got.ConfigMaps[0].Data)
	}
}

func TestMakeLeavesAlone(t *testing.T) {
	cases := map[string]struct {
		reason string
		change func(*swarm.Service)
		says   string
	}{
		"BindMount": {"Nothing of a node is a tenant's.", func(s *swarm.Service) {
			con(s).Mounts = []mount.Mount{{Type: mount.TypeBind, Source: "/srv", Target: "/srv"}}
		}, "rule M1"},
		"Volume": {"What is in it would be gone with the first rollout.", func(s *swarm.Service) {
			con(s).Mounts = []mount.Mount{{Type: mount.TypeVolume, Source: "shop_data", Target: "/data"}}
		}, "does not become a Volume"},
		"Capability": {"It reaches beyond the container.", func(s *swarm.Service) { con(s).CapabilityAdd = []string{"CAP_SYS_ADMIN"} }, "rule C1"},
		"HostPort": {"It names a node.", func(s *swarm.Service) {
			s.Spec.EndpointSpec.Ports = []swarm.PortConfig{{Protocol: "tcp", TargetPort: 80, PublishedPort: 8080, PublishMode: "host"}}
		}, "rule N3"},
		"Seccomp": {"It is the platform's.", func(s *swarm.Service) {
			con(s).Privileges.Seccomp = &swarm.SeccompOpts{Mode: swarm.SeccompModeUnconfined}
		}, "rule C2"},
		"Resolver": {"Names are resolved by the network.", func(s *swarm.Service) { con(s).DNSConfig = &swarm.DNSConfig{Nameservers: []string{"8.8.8.8"}} }, "rule N4"},
		"RouterLabel": {"A router would stop at once: labels of the service go with the adoption.", func(s *swarm.Service) {
			s.Spec.Labels["traefik.enable"] = "true"
		}, "rule B1"},
		"Global":   {"A task on every node is the platform's.", func(s *swarm.Service) { s.Spec.Mode = swarm.ServiceMode{Global: &swarm.GlobalService{}} }, "rule P2"},
		"UserName": {"A name can stand for root.", func(s *swarm.Service) { con(s).User = "nginx" }, "rule U1"},
		"OfSomeone": {"What has an owner is not given away.", func(s *swarm.Service) {
			s.Spec.Labels = map[string]string{"io.dogker.managed": "true", "io.dogker.tenant": "acme", "io.dogker.kind": "TenantContainer", "io.dogker.name": "x"}
		}, `belongs to TenantContainer "x" of namespace "acme"`},
		"NoLabel":  {"Swarm renames nothing.", func(s *swarm.Service) { s.Spec.Name = "shop_My_Web" }, "renames nothing"},
		"Updating": {"A write would end what Swarm is at.", func(s *swarm.Service) { s.UpdateStatus = &swarm.UpdateStatus{State: swarm.UpdateStateUpdating} }, "replacing its tasks"},
		"Secret": {"Nobody can read it out of Swarm.", func(s *swarm.Service) {
			con(s).Secrets = []*swarm.SecretReference{{SecretID: "s1", SecretName: "shop_key", File: &swarm.SecretReferenceFileTarget{Name: "key"}}}
		}, "--secret shop_key=FILE"},
		"AnotherNetwork": {"Its first rollout would cut it off from everybody.", func(s *swarm.Service) {
			s.Spec.TaskTemplate.Networks = []swarm.NetworkAttachmentConfig{{Target: "net-back"}}
		}, "docker service update --network-add shop_default"},
		"NetworkOfOthers": {"Its first rollout would cut it off from the proxy.", func(s *swarm.Service) {
			s.Spec.TaskTemplate.Networks = append(s.Spec.TaskTemplate.Networks, swarm.NetworkAttachmentConfig{Target: "net-public"})
		}, "does not reach proxy"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			bad := service("web", tc.change)
			got := adopt.Make(live(service("api"), bad), options())

			var findings []string
			for _, f := range got.Findings {
				findings = append(findings, f.String())
			}
			if !slices.Equal(got.LeftAlone, []string{bad.Spec.Name}) || !strings.Contains(strings.Join(findings, "\n"), tc.says) {
				t.Errorf("%s\nleft alone %q, findings:\n%s\nwant %q", tc.reason, got.LeftAlone, strings.Join(findings, "\n"), tc.says)
			}
			if len(got.Adoptions) != 1 || got.Adoptions[0].Container.Name != "api" {
				t.Errorf("%d are adopted; what is wrong with one service is not another's", len(got.Adoptions))
			}
		})
	}
}

func TestMakeAdoptsAllTheSame(t *testing.T) {
	cases := map[string]struct {
		reason  string
		change  func(*swarm.Service)
		options func(*adopt.Options)
		check   func(*v1alpha1.TenantContainer) bool
	}{
		"SecretGiven": {"With its content there is a Secret.", func(s *swarm.Service) {
			con(s).Secrets = []*swarm.SecretReference{{SecretID: "s1", SecretName: "shop_key", File: &swarm.SecretReferenceFileTarget{Name: "key", Mode: 0o444}}}
		}, func(o *adopt.Options) { o.Secrets = map[string][]byte{"key": []byte("x")} },
			func(tc *v1alpha1.TenantContainer) bool { return tc.Spec.Files[0].SecretKeyRef.Name == "key" }},
		"LossesAccepted": {"Who knows what is lost may say so.", func(s *swarm.Service) { s.Spec.Labels["traefik.enable"] = "true" },
			func(o *adopt.Options) { o.AcceptLosses = true }, func(*v1alpha1.TenantContainer) bool { return true }},
		"SecondNetwork": {"Everybody on it is on the tenant's, too.", func(s *swarm.Service) {
			s.Spec.TaskTemplate.Networks = append(s.Spec.TaskTemplate.Networks, swarm.NetworkAttachmentConfig{Target: "net-back", Aliases: []string{"front"}})
		}, func(*adopt.Options) {}, func(tc *v1alpha1.TenantContainer) bool { return slices.Contains(tc.Spec.DNSAliases, "front") }},
		"OwnRegistry": {"A registry by its address can be allowed by the plan, which the server is asked about.", func(s *swarm.Service) {
			con(s).Image, s.Spec.Labels["com.docker.stack.image"] = "10.0.0.5:5000/web:1", "10.0.0.5:5000/web:1"
		}, func(*adopt.Options) {}, func(tc *v1alpha1.TenantContainer) bool { return tc.Spec.Image == "10.0.0.5:5000/web:1" }},
		"NotOfAStack": {"Without a file of a stack, what runs is what was asked for.", func(s *swarm.Service) { s.Spec.Labels = nil },
			func(*adopt.Options) {}, func(tc *v1alpha1.TenantContainer) bool { return tc.Spec.Image == pinned }},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o := options()
			tc.options(&o)
			got := adopt.Make(live(service("web", tc.change)), o)
			if len(got.Adoptions) != 1 || !tc.check(got.Adoptions[0].Container) {
				t.Errorf("%s\nleft alone %q, findings %v", tc.reason, got.LeftAlone, got.Findings)
			}
		})
	}
}

func TestNetwork(t *testing.T) {
	l := live()
	l.Networks["local"] = network.Summary{ID: "local", Name: "shop_local", Scope: "local", Driver: "bridge"}

	if id, err := l.Network("shop", ""); err != nil || id != "net-shop" {
		t.Errorf("the network of a stack is %q, error %v", id, err)
	}
	for _, name := range []string{"shop_local", "nothing"} {
		if id, err := l.Network("shop", name); err == nil {
			t.Errorf("%q can be the network of a tenant: %q", name, id)
		}
	}
}
