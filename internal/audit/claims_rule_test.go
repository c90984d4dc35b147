package audit

import (
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// password is what no report may show.
const password = "correct-horse-battery-staple"

type tcSpec = v1alpha1.TenantContainerSpec

// ruleClaims are about what tenants have declared. That it was admitted once proves nothing: the plan may be another.
var ruleClaims = map[string]claim{
	"RegistryByAddress": {"I1", "The engine connects to it from the node's network.", declared(func(s *tcSpec) { s.Image = "10.0.0.1:9902/a/b:1" }), SeverityMedium, "spec.image is 10.0.0.1:9902/a/b:1"},
	"NobodyAsked":       {"I2", "Another tenant's image may be on the node.", declared(func(s *tcSpec) { s.ImagePullPolicy = v1alpha1.PullNever }), SeverityMedium, "imagePullPolicy"},
	"Capability":        {"C1", "Restricted has one that may be added.", declared(func(s *tcSpec) { s.Security.Capabilities.Add = []string{"CHOWN"} }), SeverityHigh, "CHOWN"},
	"NothingDropped":    {"C1", "The engine's own set is too much.", declared(func(s *tcSpec) { s.Security.Capabilities = nil }), SeverityHigh, "spec.security.capabilities.drop is not set"},
	"Sysctl":            {"C3", "Restricted has none.", declared(func(s *tcSpec) { s.Sysctls = map[string]v1alpha1.ShortText{"net.ipv4.tcp_syncookies": "1"} }), SeverityMedium, "tcp_syncookies"},
	"Ulimit":            {"C4", "Restricted has none.", declared(func(s *tcSpec) { s.Ulimits = []v1alpha1.Ulimit{{Name: "nofile", Soft: 1, Hard: 2}} }), SeverityLow, "nofile"},
	"Root":              {"U1", "It is root.", declared(func(s *tcSpec) { s.Security.RunAsUser = new(int64(0)) }), SeverityMedium, "runAsUser is 0"},
	"UserOfTheImage":    {"U1", "It may be root.", declared(func(s *tcSpec) { s.Security.RunAsUser = nil }), SeverityMedium, "runAsUser is not set"},
	"MountOverSystem":   {"M4", "It decides who is who.", declared(tmpfs("/etc", "1Mi")), SeverityHigh, "/etc"},
	"LargeTmpfs":        {"M5", "It is taken from the memory of the container.", declared(tmpfs("/scratch", "200Mi")), SeverityLow, "200Mi"},
	"PasswdFile":        {"S2", "It decides who is who.", declared(func(s *tcSpec) { s.Files = []v1alpha1.File{{Path: "/etc/passwd"}} }), SeverityHigh, "/etc/passwd"},
	"NoLogs":            {"L1", "Nobody can look at what it did.", declared(func(s *tcSpec) { s.Logging = &v1alpha1.Logging{Driver: "none"} }), SeverityLow, "none"},
	"PortOfNobody":      {"N3", "The tenant has no range.", declared(publish), SeverityMedium, "publish"},
	"HostsEntry": {"N4", "It makes names up.", declared(func(s *tcSpec) {
		s.ExtraHosts = []v1alpha1.ExtraHost{{IP: "10.0.0.1", Hostnames: []v1alpha1.ObjectName{"bank.example"}}}
	}), SeverityMedium, "10.0.0.1"},
	"NamedNode":      {"P1", "Placement on a node is the platform's.", declared(func(s *tcSpec) { s.Placement = &v1alpha1.Placement{Constraints: []string{"node.hostname == node1"}} }), SeverityMedium, "node.hostname"},
	"Global":         {"P2", "A task on every node is the platform's.", declared(func(s *tcSpec) { s.Mode = v1alpha1.ModeGlobal }), SeverityMedium, "Global"},
	"NoLimits":       {"R1", "It takes what others need.", declared(func(s *tcSpec) { s.Resources = nil }), SeverityMedium, "spec.resources.limits.cpu is not set"},
	"RestartsAtOnce": {"R2", "It costs the engine more than one that runs.", declared(func(s *tcSpec) { s.RestartPolicy = &v1alpha1.RestartPolicy{DelaySeconds: new(int32(1))} }), SeverityLow, "delaySeconds is 1"},
	"AsksAllTheTime": {"R3", "So does this.", declared(func(s *tcSpec) { s.HealthCheck = &v1alpha1.HealthCheck{PeriodSeconds: new(int32(1))} }), SeverityLow, "periodSeconds is 1"},
	"AllAtOnce":      {"R4", "0 replaces all tasks at once.", declared(func(s *tcSpec) { s.Rollout = &v1alpha1.Rollout{Parallelism: new(int32(0))} }), SeverityLow, "parallelism is 0"},
	"LongGrace":      {"R5", "A suspended container goes on that long.", declared(func(s *tcSpec) { s.TerminationGracePeriodSeconds = new(int64(60)) }), SeverityLow, "is 60"},
	"RouterLabel":    {"B1", "It tells the router what to do.", declared(func(s *tcSpec) { s.Labels = map[string]v1alpha1.LabelText{"traefik.enable": "true"} }), SeverityMedium, "traefik.enable"},
	"ManyReplicas":   {"Q1", "Nobody needs as many.", declared(func(s *tcSpec) { s.Replicas = new(int32(101)) }), SeverityLow, "replicas is 101"},
	"MuchText":       {"Q2", "Raft keeps it, once for each task.", declared(func(s *tcSpec) { s.Args = []v1alpha1.Text{v1alpha1.Text(strings.Repeat("x", 70_000))} }), SeverityLow, "70000 bytes"},
	"PasswordInVariable": {
		"S4", "Everybody who may read the object reads it.", declared(func(s *tcSpec) {
			s.Env = []v1alpha1.EnvVar{{Name: "DB_PASSWORD", Value: new(v1alpha1.Text(password))}}
		}), SeverityLow, `spec.env[0]: "DB_PASSWORD" looks like a secret`,
	},
	"ChangedByHand": {
		"G3", "Somebody has changed the service in Swarm.", func(in *Input) {
			in.Workloads[ours].Violations = []string{"TaskTemplate.Networks has 2 entries, there must be one"}
		},
		SeverityHigh, "has 2 entries",
	},
	"OldRevisionRuns": {
		"U1", "What is declared is right, and what runs is not.", func(in *Input) {
			old := web().Spec
			old.Security.RunAsUser = new(int64(0))
			in.Declared[0].Running = &v1alpha1.ContainerRevision{
				ObjectMeta: metav1.ObjectMeta{Namespace: "acme"}, Spec: v1alpha1.ContainerRevisionSpec{Container: "web", Revision: 3, Template: old},
			}
		}, SeverityMedium, "revision 3, which runs: spec.security.runAsUser is 0",
	},
}

func tmpfs(path v1alpha1.AbsolutePath, size string) func(*tcSpec) {
	return func(s *tcSpec) { s.Tmpfs = []v1alpha1.Tmpfs{{MountPath: path, Size: resource.MustParse(size)}} }
}

func publish(s *tcSpec) {
	s.Ports = []v1alpha1.Port{{ContainerPort: 8080, Publish: &v1alpha1.PortPublication{Mode: v1alpha1.PublishHost, Port: 8080}}}
}
