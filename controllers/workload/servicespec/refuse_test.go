package servicespec_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/swarm"
	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/servicespec"
)

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
		"VolumeInTheirPlace": {
			reason: "Nor may a volume hide them.",
			template: func(t *template) {
				t.Tmpfs = []v1alpha1.Tmpfs{{MountPath: "/a", Size: *quantity("1Mi")}}
				t.Volumes = []v1alpha1.VolumeMount{{Name: "catalog", MountPath: "/a"}, {Name: "catalog", MountPath: "/b"}, {Name: "uploads", MountPath: "/b"}}
			},
			input: func(in *input) { in.Volumes = []servicespec.ResolvedVolume{catalog(), uploads()} },
			want: []string{
				"spec.volumes[/a].mountPath: must not be the path of a file, of a tmpfs or of another volume",
				"spec.volumes[/b].mountPath: must not be the path of a file, of a tmpfs or of another volume",
			},
		},
		"UnknownVolume": {
			reason:   "Without its mount it would run, and write where nobody finds it again.",
			template: func(t *template) { t.Volumes = []v1alpha1.VolumeMount{{Name: "archive", MountPath: "/a"}} },
			input:    func(in *input) { in.Volumes = []servicespec.ResolvedVolume{catalog()} },
			want:     []string{`spec.volumes[/a].name: names Volume "archive", and nothing is known of where it lies`},
		},
		"TemplateInADriversOption": {
			reason:   "The engine would expand it on the node, to a path perhaps.",
			template: func(t *template) { t.Volumes = []v1alpha1.VolumeMount{{Name: "v", MountPath: "/a"}} },
			input: func(in *input) {
				in.Volumes = []servicespec.ResolvedVolume{{Name: "v", Source: "acme_v", Driver: "local", Options: map[string]string{"o": "{{.Node.ID}}"}}}
			},
			want: []string{"spec.volumes[/a].name: must not contain {{ or }}: the engine would expand it as a template, on the manager and again on the node"},
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
			reason: "No process can get a zero byte, whatever the schema let in.",
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
