package servicespec_test

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"strings"
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

var update = flag.Bool("update", false, "write the golden files anew")

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

func TestBuildComplete(t *testing.T) {
	in := completeInput(t)
	spec := build(t, in)
	if err := guard.Check(spec, factsOf(in)); err != nil {
		t.Error(err)
	}

	golden(t, "testdata/complete.golden", marshal(t, spec))
}

func TestBuildRefuses(t *testing.T) {
	cases := map[string]struct {
		reason   string
		template func(*template)
		input    func(*input)
		want     []string
	}{
		"GroupWithoutUser": {
			reason:   "The engine has no way to say so; a field that cannot be enforced is refused.",
			template: func(t *template) { t.Security = &v1alpha1.Security{RunAsGroup: new(int64(1))} },
			want:     []string{"spec.security.runAsGroup: needs runAsUser"},
		},
		"TmpfsWithModeZero": {
			reason: "The engine would make it 01777, the opposite.",
			template: func(t *template) {
				t.Tmpfs = []v1alpha1.Tmpfs{{MountPath: "/a", Size: *quantity("1Mi"), Mode: new(int32(0))}}
			},
			want: []string{"spec.tmpfs[/a].mode: must not be 0: the engine would take it for not set"},
		},
		"FileAndTmpfsInOnePlace": {
			reason:   "One would hide the other.",
			template: func(t *template) { t.Tmpfs = []v1alpha1.Tmpfs{{MountPath: "/a", Size: *quantity("1Mi")}} },
			input: func(in *input) {
				in.Files = []servicespec.ResolvedFile{{Path: "/a", Kind: servicespec.KindSecret, SwarmID: "1", SwarmName: "n"}}
			},
			want: []string{"spec.tmpfs[/a].mountPath: must not be the path of a file or of another tmpfs"},
		},
		"OptionsForNoLogs": {
			reason: "The engine refuses them only when the task starts.",
			template: func(t *template) {
				t.Logging = &v1alpha1.Logging{Driver: "none", MaxSize: quantity("1Mi"), MaxFiles: new(int32(2))}
			},
			want: []string{
				"spec.logging.maxSize: must not be set for the driver none",
				"spec.logging.maxFiles: must not be set for the driver none",
			},
		},
		"ZeroBytes": {
			reason: "Text with a zero byte passes the schema; a process cannot get it.",
			template: func(t *template) {
				t.Command, t.Args = []v1alpha1.Text{"a\x00"}, []v1alpha1.Text{"\x00"}
				t.Labels = map[string]v1alpha1.LabelText{"a": "\x00"}
				t.HealthCheck = &v1alpha1.HealthCheck{Exec: &v1alpha1.ExecCheck{Command: []v1alpha1.CheckText{"\x00"}}}
			},
			want: []string{
				"spec.command: must not contain a zero byte",
				"spec.args: must not contain a zero byte",
				"spec.labels[a]: must not contain a zero byte",
				"spec.healthCheck.exec.command: must not contain a zero byte",
			},
		},
		"TemplateInAnAnnotation": {
			reason: "No schema has seen the annotation.",
			input:  func(in *input) { in.RestartedAt = "{{.Node.Hostname}}" },
			want: []string{"metadata.annotations[dogker.io/restartedAt]: must not contain {{ or }}: the engine would expand it as a template, " +
				"on the manager and again on the node"},
		},
		"TooMuchEnvironment": {
			reason: "Every task carries a copy through Raft.",
			input:  func(in *input) { in.Env = []string{"A=" + strings.Repeat("x", 64<<10)} },
			want:   []string{"spec.env: environment variables, those of spec.envFrom among them, have 65538 bytes, allowed are 65536"},
		},
		"TooLargeAsAWhole": {
			reason: "Many fields that are each within their bounds add up.",
			template: func(t *template) {
				check := &v1alpha1.ExecCheck{}
				for range 64 {
					check.Command = append(check.Command, v1alpha1.CheckText(strings.Repeat("x", 4096)))
				}
				t.HealthCheck = &v1alpha1.HealthCheck{Exec: check}
			},
			want: []string{"spec: the service made of it has 263551 bytes, allowed are 262144"},
		},
		"NoCheckInAHealthCheck": {
			reason:   "The schema demands one; a revision may have been written before.",
			template: func(t *template) { t.HealthCheck = &v1alpha1.HealthCheck{} },
			want:     []string{"spec.healthCheck: exactly one of exec, httpGet, tcpSocket and disabled: true must be set"},
		},
		"IngressWithoutAVirtualIP": {
			reason: "The engine would refuse the whole service.",
			template: func(t *template) {
				t.EndpointMode = v1alpha1.EndpointDNSRR
				t.Ports = []v1alpha1.Port{{ContainerPort: 80, Publish: &v1alpha1.PortPublication{Mode: v1alpha1.PublishIngress, Port: 8}}}
			},
			want: []string{"spec.endpointMode: must be VIP when a port is published in mode Ingress"},
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

			spec, err := servicespec.Build(in)
			var field *servicespec.FieldError
			if !errors.As(err, &field) {
				t.Fatalf("%s\nBuild: got error %v, want a FieldError", tc.reason, err)
			}
			if diff := cmp.Diff(strings.Join(tc.want, "\n"), err.Error()); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(swarm.ServiceSpec{}, spec); diff != "" {
				t.Errorf("a refused spec must be empty:\n%s", diff)
			}
		})
	}
}

func marshal(t testing.TB, v any) string {
	t.Helper()

	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}

	return string(raw) + "\n"
}

func golden(t *testing.T, file, got string) {
	t.Helper()

	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s, -want +got:\n%s", file, diff)
	}
}
