package servicespec_test

import (
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/swarm"
	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/guard"
	"github.com/dogker/dogker/controllers/workload/servicespec"
)

// minimalSpec is what becomes of the smallest template: every default, written out.
func minimalSpec() swarm.ServiceSpec {
	policy := func(action string) *swarm.UpdateConfig {
		return &swarm.UpdateConfig{Parallelism: 1, FailureAction: action, Monitor: 5 * time.Second, Order: "start-first"}
	}

	return swarm.ServiceSpec{
		Annotations: swarm.Annotations{Name: "acme_web", Labels: map[string]string{
			"io.dogker.managed":       "true",
			"io.dogker.tenant":        "acme",
			"io.dogker.kind":          "TenantContainer",
			"io.dogker.name":          "web",
			"io.dogker.uid":           "11111111-2222-3333-4444-555555555555",
			"io.dogker.generation":    "3",
			"io.dogker.revision":      "2",
			"io.dogker.template-hash": "b4cd5fgh67",
			"io.dogker.image":         "registry.example/shop:1.4",
		}},
		TaskTemplate: swarm.TaskSpec{
			Runtime:       "container",
			ContainerSpec: &swarm.ContainerSpec{Image: image, StopGracePeriod: new(30 * time.Second)},
			RestartPolicy: &swarm.RestartPolicy{
				Condition: "any", Delay: new(5 * time.Second), MaxAttempts: new(uint64(0)), Window: new(time.Duration(0)),
			},
			Placement: &swarm.Placement{},
			Networks:  []swarm.NetworkAttachmentConfig{{Target: networkID, Aliases: []string{"web"}}},
		},
		Mode:           swarm.ServiceMode{Replicated: &swarm.ReplicatedService{Replicas: new(uint64(1))}},
		UpdateConfig:   policy("rollback"),
		RollbackConfig: policy("pause"),
		EndpointSpec:   &swarm.EndpointSpec{Mode: "dnsrr"},
	}
}

type (
	template = v1alpha1.TenantContainerSpec
	input    = servicespec.Input
)

func TestBuild(t *testing.T) {
	cases := map[string]struct {
		reason   string
		template func(*template)
		input    func(*input)
		want     func(*swarm.ServiceSpec)
	}{
		"MinimalHasAllDefaults": {
			reason: "What is not declared is written out, so that no default of an engine decides.",
		},
		"CommandAndArgs": {
			reason:   "Swarm's Command replaces the entrypoint and its Args the command, as in Kubernetes.",
			template: func(t *template) { t.Command, t.Args = []v1alpha1.Text{"/bin/a"}, []v1alpha1.Text{"b", ""} },
			want:     func(s *swarm.ServiceSpec) { c(s).Command, c(s).Args = []string{"/bin/a"}, []string{"b", ""} },
		},
		"WorkingDirHostnameSignalAndLabels": {
			reason: "These have the same meaning in Swarm.",
			template: func(t *template) {
				t.WorkingDir, t.Hostname, t.StopSignal = "/srv", "shop", "SIGQUIT"
				t.Labels = map[string]v1alpha1.LabelText{"team": "shop"}
			},
			want: func(s *swarm.ServiceSpec) {
				c(s).Dir, c(s).Hostname, c(s).StopSignal = "/srv", "shop", "SIGQUIT"
				c(s).Labels = map[string]string{"team": "shop"}
			},
		},
		"GraceOfZero": {
			reason:   "Zero is a value of its own: kill at once.",
			template: func(t *template) { t.TerminationGracePeriodSeconds = new(int64(0)) },
			want:     func(s *swarm.ServiceSpec) { c(s).StopGracePeriod = new(time.Duration(0)) },
		},
		"GraceIsCapped": {
			reason:   "A stop that never ends outlives the service, invisible: free compute.",
			template: func(t *template) { t.TerminationGracePeriodSeconds = new(int64(31_536_000)) },
			want:     func(s *swarm.ServiceSpec) { c(s).StopGracePeriod = new(time.Minute) },
		},
		"UserAlone": {
			reason:   "The engine then takes the group from the image, as Kubernetes does.",
			template: func(t *template) { t.Security = &v1alpha1.Security{RunAsUser: new(int64(0))} },
			want:     func(s *swarm.ServiceSpec) { c(s).User = "0" },
		},
		"UserAndGroup": {
			reason: "Docker writes both into one word.",
			template: func(t *template) {
				t.Security = &v1alpha1.Security{RunAsUser: new(int64(7)), RunAsGroup: new(int64(8))}
			},
			want: func(s *swarm.ServiceSpec) { c(s).User = "7:8" },
		},
		"CapabilitiesInTheEnginesSpelling": {
			reason: "The engine wants the prefix, except for ALL; order means nothing.",
			template: func(t *template) {
				t.Security = &v1alpha1.Security{Capabilities: &v1alpha1.Capabilities{Add: []string{"SETUID", "CHOWN"}, Drop: []string{"ALL"}}}
			},
			want: func(s *swarm.ServiceSpec) {
				c(s).CapabilityAdd, c(s).CapabilityDrop = []string{"CAP_CHOWN", "CAP_SETUID"}, []string{"ALL"}
			},
		},
		"ReadOnlyAndInit": {
			reason:   "Init has three states: yes, no, and the engine's own setting.",
			template: func(t *template) { t.Security = &v1alpha1.Security{ReadOnlyRootFilesystem: true, Init: new(false)} },
			want:     func(s *swarm.ServiceSpec) { c(s).ReadOnly, c(s).Init = true, new(false) },
		},
		"OneHostsLineForEachName": {
			reason: "The engine drops every name of a line behind the first.",
			template: func(t *template) {
				t.ExtraHosts = []v1alpha1.ExtraHost{{IP: "fd00::1", Hostnames: []v1alpha1.ObjectName{"b", "a"}}}
			},
			want: func(s *swarm.ServiceSpec) { c(s).Hosts = []string{"fd00::1 a", "fd00::1 b"} },
		},
		"SysctlsAndUlimits": {
			reason: "Both have a form of their own in Swarm; order means nothing.",
			template: func(t *template) {
				t.Sysctls = map[string]v1alpha1.ShortText{"net.ipv4.tcp_rmem": "1 2 3"}
				t.Ulimits = []v1alpha1.Ulimit{{Name: "nproc", Soft: 1, Hard: 2}, {Name: "core"}}
			},
			want: func(s *swarm.ServiceSpec) {
				c(s).Sysctls = map[string]string{"net.ipv4.tcp_rmem": "1 2 3"}
				c(s).Ulimits = []*container.Ulimit{{Name: "core"}, {Name: "nproc", Soft: 1, Hard: 2}}
			},
		},
		"Tmpfs": {
			reason: "Sizes are bytes and modes are bits; the engine's own mode is written out.",
			template: func(t *template) {
				t.Tmpfs = []v1alpha1.Tmpfs{{MountPath: "/tmp", Size: *quantity("8Mi"), Mode: new(int32(0o700))}, {MountPath: "/a", Size: *quantity("4Ki")}}
			},
			want: func(s *swarm.ServiceSpec) {
				c(s).Mounts = []mount.Mount{
					{Type: "tmpfs", Target: "/a", TmpfsOptions: &mount.TmpfsOptions{SizeBytes: 4 << 10, Mode: 0o1777}},
					{Type: "tmpfs", Target: "/tmp", TmpfsOptions: &mount.TmpfsOptions{SizeBytes: 8 << 20, Mode: 0o700}},
				}
			},
		},
		"FilesBecomeSecretsAndConfigs": {
			reason: "Targets stay absolute: a relative one would land elsewhere, and elsewhere again for the other kind.",
			input: func(in *input) {
				in.Files = []servicespec.ResolvedFile{
					{Path: "/z", Kind: servicespec.KindSecret, SwarmID: "1", SwarmName: "acme_a_1", Mode: 0o400, UID: 5, GID: 6},
					{Path: "/b", Kind: servicespec.KindConfigMap, SwarmID: "2", SwarmName: "acme_b_2", Mode: 0o444},
					{Path: "/a", Kind: servicespec.KindSecret, SwarmID: "3", SwarmName: "acme_c_3"},
				}
			},
			want: func(s *swarm.ServiceSpec) {
				c(s).Secrets = []*swarm.SecretReference{
					{SecretID: "3", SecretName: "acme_c_3", File: &swarm.SecretReferenceFileTarget{Name: "/a", UID: "0", GID: "0"}},
					{SecretID: "1", SecretName: "acme_a_1", File: &swarm.SecretReferenceFileTarget{Name: "/z", UID: "5", GID: "6", Mode: 0o400}},
				}
				c(s).Configs = []*swarm.ConfigReference{
					{ConfigID: "2", ConfigName: "acme_b_2", File: &swarm.ConfigReferenceFileTarget{Name: "/b", UID: "0", GID: "0", Mode: 0o444}},
				}
			},
		},
		"LimitsAreSetAside": {
			reason: "Swarm places by reservations only; a limit without a request reserves itself, as in Kubernetes.",
			template: func(t *template) {
				t.Resources = &v1alpha1.Resources{
					Requests: &v1alpha1.ResourceRequests{CPU: quantity("0.25")},
					Limits:   &v1alpha1.ResourceLimits{CPU: quantity("2"), Memory: quantity("64Mi"), Pids: new(int64(9))},
				}
			},
			want: func(s *swarm.ServiceSpec) {
				s.TaskTemplate.Resources = &swarm.ResourceRequirements{
					Limits:       &swarm.Limit{NanoCPUs: 2e9, MemoryBytes: 64 << 20, Pids: 9},
					Reservations: &swarm.Resources{NanoCPUs: 25e7, MemoryBytes: 64 << 20},
				}
			},
		},
		"RequestsLimitNothing": {
			reason: "A request is a floor.",
			template: func(t *template) {
				t.Resources = &v1alpha1.Resources{Requests: &v1alpha1.ResourceRequests{Memory: quantity("4Mi")}}
			},
			want: func(s *swarm.ServiceSpec) {
				s.TaskTemplate.Resources = &swarm.ResourceRequirements{Reservations: &swarm.Resources{MemoryBytes: 4 << 20}}
			},
		},
		"LogsInPlainBytes": {
			reason: "Engines read units in different ways; all read bytes.",
			template: func(t *template) {
				t.Logging = &v1alpha1.Logging{Driver: "json-file", MaxSize: quantity("10Mi"), MaxFiles: new(int32(3))}
			},
			want: func(s *swarm.ServiceSpec) {
				s.TaskTemplate.LogDriver = &swarm.Driver{Name: "json-file", Options: map[string]string{"max-size": "10485760", "max-file": "3"}}
			},
		},
		"OneLocalLogFileIsNotCompressed": {
			reason:   "The driver local compresses rotated files by default, and refuses to start when there can be none.",
			template: func(t *template) { t.Logging = &v1alpha1.Logging{Driver: "local", MaxFiles: new(int32(1))} },
			want: func(s *swarm.ServiceSpec) {
				s.TaskTemplate.LogDriver = &swarm.Driver{Name: "local", Options: map[string]string{"max-file": "1", "compress": "false"}}
			},
		},
		"NoLogs": {
			reason:   "The driver none takes no options.",
			template: func(t *template) { t.Logging = &v1alpha1.Logging{Driver: "none"} },
			want:     func(s *swarm.ServiceSpec) { s.TaskTemplate.LogDriver = &swarm.Driver{Name: "none"} },
		},
		"RestartPolicy": {
			reason: "Kubernetes' names, Swarm's policy.",
			template: func(t *template) {
				t.RestartPolicy = &v1alpha1.RestartPolicy{
					Condition: v1alpha1.RestartOnFailure, DelaySeconds: new(int32(1)), MaxAttempts: new(int32(2)), WindowSeconds: new(int32(3)),
				}
			},
			want: func(s *swarm.ServiceSpec) {
				s.TaskTemplate.RestartPolicy = &swarm.RestartPolicy{
					Condition: "on-failure", Delay: new(time.Second), MaxAttempts: new(uint64(2)), Window: new(3 * time.Second),
				}
			},
		},
		"NeverRestarts": {
			reason:   "Never is Swarm's none.",
			template: func(t *template) { t.RestartPolicy = &v1alpha1.RestartPolicy{Condition: v1alpha1.RestartNever} },
			want:     func(s *swarm.ServiceSpec) { s.TaskTemplate.RestartPolicy.Condition = "none" },
		},
		"Placement": {
			reason: "Constraints and platforms are sets; preferences have an order.",
			template: func(t *template) {
				t.Placement = &v1alpha1.Placement{
					Constraints: []string{"node.role == worker", "node.id != x"}, Spread: []string{"node.labels.z", "node.labels.a"},
					MaxReplicasPerNode: new(int32(2)), Platforms: []v1alpha1.Platform{{OS: "linux", Architecture: "arm64"}, {OS: "linux", Architecture: "amd64"}},
				}
			},
			want: func(s *swarm.ServiceSpec) {
				s.TaskTemplate.Placement = &swarm.Placement{
					Constraints: []string{"node.id != x", "node.role == worker"},
					Preferences: []swarm.PlacementPreference{
						{Spread: &swarm.SpreadOver{SpreadDescriptor: "node.labels.z"}}, {Spread: &swarm.SpreadOver{SpreadDescriptor: "node.labels.a"}},
					},
					MaxReplicas: 2,
					Platforms:   []swarm.Platform{{OS: "linux", Architecture: "amd64"}, {OS: "linux", Architecture: "arm64"}},
				}
			},
		},
		"AliasesStandBesideTheName": {
			reason:   "A container answers to its own name whatever else it is called.",
			template: func(t *template) { t.DNSAliases = []v1alpha1.DNSLabel{"www", "shop", "web"} },
			want:     func(s *swarm.ServiceSpec) { s.TaskTemplate.Networks[0].Aliases = []string{"shop", "web", "www"} },
		},
		"UnpublishedPortsStayInside": {
			reason:   "The engine would publish every port it is told of, on a port of its own choice.",
			template: func(t *template) { t.Ports = []v1alpha1.Port{{Name: "http", ContainerPort: 80}} },
		},
		"HostPortStopsFirst": {
			reason: "The new task cannot bind the port while the old one holds it.",
			template: func(t *template) {
				t.Ports = []v1alpha1.Port{
					{Name: "b", ContainerPort: 81, Protocol: "UDP", Publish: &v1alpha1.PortPublication{Mode: v1alpha1.PublishHost, Port: 9}},
					{Name: "a", ContainerPort: 80, Publish: &v1alpha1.PortPublication{Mode: v1alpha1.PublishHost, Port: 8}},
				}
			},
			want: func(s *swarm.ServiceSpec) {
				s.EndpointSpec.Ports = []swarm.PortConfig{
					{Protocol: "tcp", TargetPort: 80, PublishedPort: 8, PublishMode: "host"},
					{Protocol: "udp", TargetPort: 81, PublishedPort: 9, PublishMode: "host"},
				}
				s.UpdateConfig.Order, s.RollbackConfig.Order = "stop-first", "stop-first"
			},
		},
		"HostPortOfAnOlderTemplateStopsFirst": {
			reason: "The declared order was checked against the declared ports, not against those of the revision that runs.",
			template: func(t *template) {
				t.Ports = []v1alpha1.Port{{ContainerPort: 80, Protocol: "SCTP", Publish: &v1alpha1.PortPublication{Mode: v1alpha1.PublishHost, Port: 8}}}
			},
			input: func(in *input) { in.Rollout = &v1alpha1.Rollout{Order: v1alpha1.OrderStartFirst} },
			want: func(s *swarm.ServiceSpec) {
				s.EndpointSpec.Ports = []swarm.PortConfig{{Protocol: "sctp", TargetPort: 80, PublishedPort: 8, PublishMode: "host"}}
				s.UpdateConfig.Order, s.RollbackConfig.Order = "stop-first", "stop-first"
			},
		},
		"IngressNeedsAVirtualIP": {
			reason: "The routing mesh forwards to it.",
			template: func(t *template) {
				t.Ports = []v1alpha1.Port{{ContainerPort: 80, Publish: &v1alpha1.PortPublication{Mode: v1alpha1.PublishIngress, Port: 8}}}
			},
			want: func(s *swarm.ServiceSpec) {
				s.EndpointSpec = &swarm.EndpointSpec{Mode: "vip", Ports: []swarm.PortConfig{
					{Protocol: "tcp", TargetPort: 80, PublishedPort: 8, PublishMode: "ingress"},
				}}
			},
		},
		"DeclaredEndpointMode": {
			reason:   "Who wants a virtual IP gets one.",
			template: func(t *template) { t.EndpointMode = v1alpha1.EndpointVIP },
			want:     func(s *swarm.ServiceSpec) { s.EndpointSpec.Mode = "vip" },
		},
		"NoNewPrivileges": {
			reason: "The label is the record of it, from which it is put back.",
			input:  func(in *input) { in.NoNewPrivileges = true },
			want: func(s *swarm.ServiceSpec) {
				s.Labels["io.dogker.privileges"] = "no-new"
				s.TaskTemplate.ContainerSpec.Privileges = &swarm.Privileges{NoNewPrivileges: true}
			},
		},
		"OffManagersIsNoted": {
			reason: "The label is the record of a decision that the constraint alone could not tell from a tenant's own.",
			template: func(t *template) {
				t.Placement = &v1alpha1.Placement{Constraints: []string{"node.role!=manager", "node.labels.zone == a"}}
			},
			input: func(in *input) { in.OffManagers = true },
			want: func(s *swarm.ServiceSpec) {
				s.Labels["io.dogker.placement"] = "workers"
				s.TaskTemplate.Placement.Constraints = []string{"node.labels.zone == a", "node.role!=manager"}
			},
		},
		"SuspendedHasNoReplicas": {
			reason: "Everything else stays, so that it comes back as it was.",
			input:  func(in *input) { in.Suspended, in.Replicas = true, 5 },
			want:   func(s *swarm.ServiceSpec) { s.Mode.Replicated.Replicas = new(uint64(0)) },
		},
		"GlobalStopsFirst": {
			reason:   "There is one task on each node, also during a rollout.",
			template: func(t *template) { t.Mode = v1alpha1.ModeGlobal },
			want: func(s *swarm.ServiceSpec) {
				s.Mode = swarm.ServiceMode{Global: &swarm.GlobalService{}}
				s.UpdateConfig.Order, s.RollbackConfig.Order = "stop-first", "stop-first"
			},
		},
		"SuspendedGlobalMatchesNoNode": {
			reason: "A global service cannot be scaled to zero, but it can be told to run nowhere.",
			template: func(t *template) {
				t.Mode = v1alpha1.ModeGlobal
				t.Placement = &v1alpha1.Placement{Constraints: []string{"node.role == worker"}}
			},
			input: func(in *input) { in.Suspended, in.Rollout = true, &v1alpha1.Rollout{Order: v1alpha1.OrderStartFirst} },
			want: func(s *swarm.ServiceSpec) {
				s.Mode = swarm.ServiceMode{Global: &swarm.GlobalService{}}
				s.TaskTemplate.Placement.Constraints = []string{"node.labels.io.dogker.suspended==true", "node.role == worker"}
			},
		},
		"Rollout": {
			reason: "The policy of the declared spec, and its mirror for the way back; a rollback has nothing to go back to.",
			input: func(in *input) {
				in.Rollout = &v1alpha1.Rollout{
					Parallelism: new(int32(0)), DelaySeconds: new(int32(7)), MonitorSeconds: new(int32(8)), MaxFailurePercent: new(int32(25)),
					Order: v1alpha1.OrderStopFirst, FailureAction: v1alpha1.FailureRollback,
				}
			},
			want: func(s *swarm.ServiceSpec) {
				s.UpdateConfig = &swarm.UpdateConfig{
					Delay: 7 * time.Second, Monitor: 8 * time.Second, MaxFailureRatio: 0.25, FailureAction: "rollback", Order: "stop-first",
				}
				s.RollbackConfig = new(*s.UpdateConfig)
				s.RollbackConfig.FailureAction = "pause"
			},
		},
		"FailureActionContinue": {
			reason: "Who accepts failures on the way there accepts them on the way back.",
			input:  func(in *input) { in.Rollout = &v1alpha1.Rollout{FailureAction: v1alpha1.FailureContinue} },
			want: func(s *swarm.ServiceSpec) {
				s.UpdateConfig.FailureAction, s.RollbackConfig.FailureAction = "continue", "continue"
			},
		},
		"FailureActionPause": {
			reason: "A pause waits for a new spec.",
			input:  func(in *input) { in.Rollout = &v1alpha1.Rollout{FailureAction: v1alpha1.FailurePause} },
			want:   func(s *swarm.ServiceSpec) { s.UpdateConfig.FailureAction = "pause" },
		},
		"Notes": {
			reason: "What the controller must know of its last write stands on the service, never on the container.",
			input: func(in *input) {
				in.ForceUpdate, in.RestartedAt, in.RegistryAuth, in.Env = 6, "now", "abc", []string{"A=1"}
				in.Generation, in.Revision, in.TemplateHash, in.RequestedImage = 0, 0, "", ""
			},
			want: func(s *swarm.ServiceSpec) {
				s.TaskTemplate.ForceUpdate = 6
				c(s).Env = []string{"A=1"}
				for _, gone := range []string{"generation", "revision", "template-hash", "image"} {
					delete(s.Labels, "io.dogker."+gone)
				}
				s.Labels["io.dogker.restarted-at"], s.Labels["io.dogker.registry-auth"] = "now", "abc"
			},
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tmpl := minimal()
			if tc.template != nil {
				tc.template(tmpl)
			}
			in := inputOf(tmpl)
			if tc.input != nil {
				tc.input(&in)
			}
			want := minimalSpec()
			if tc.want != nil {
				tc.want(&want)
			}

			got := build(t, in)
			if err := guard.Check(got, factsOf(in)); err != nil {
				t.Errorf("%s\n%v", tc.reason, err)
			}
			want.Labels[v1alpha1.SwarmLabelSpecHash] = got.Labels[v1alpha1.SwarmLabelSpecHash]
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// c is the container of a spec.
func c(s *swarm.ServiceSpec) *swarm.ContainerSpec {
	return s.TaskTemplate.ContainerSpec
}
