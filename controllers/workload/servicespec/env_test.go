package servicespec_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/servicespec"
)

// held are Secrets and ConfigMaps, by kind and name.
type held map[string]map[string]string

func (h held) lookup(kind servicespec.Kind, name string) (map[string][]byte, bool) {
	object, ok := h[string(kind)+" "+name]
	data := map[string][]byte{}
	for key, value := range object {
		data[key] = []byte(value)
	}

	return data, ok
}

func plain(name, value string) v1alpha1.EnvVar {
	return v1alpha1.EnvVar{Name: name, Value: new(v1alpha1.Text(value))}
}

func secretVar(name, object, key string, optional bool) v1alpha1.EnvVar {
	return v1alpha1.EnvVar{Name: name, ValueFrom: &v1alpha1.EnvVarSource{
		SecretKeyRef: &v1alpha1.KeySelector{Name: v1alpha1.ObjectName(object), Key: v1alpha1.DataKey(key), Optional: optional},
	}}
}

func configVar(name, object, key string) v1alpha1.EnvVar {
	return v1alpha1.EnvVar{Name: name, ValueFrom: &v1alpha1.EnvVarSource{
		ConfigMapKeyRef: &v1alpha1.KeySelector{Name: v1alpha1.ObjectName(object), Key: v1alpha1.DataKey(key)},
	}}
}

func fromSecret(prefix, object string, optional bool) v1alpha1.EnvFromSource {
	return v1alpha1.EnvFromSource{Prefix: prefix, SecretRef: &v1alpha1.ObjectSource{Name: v1alpha1.ObjectName(object), Optional: optional}}
}

func fromConfigMap(prefix, object string) v1alpha1.EnvFromSource {
	return v1alpha1.EnvFromSource{Prefix: prefix, ConfigMapRef: &v1alpha1.ObjectSource{Name: v1alpha1.ObjectName(object)}}
}

func TestEnv(t *testing.T) {
	cases := map[string]struct {
		reason string
		env    []v1alpha1.EnvVar
		from   []v1alpha1.EnvFromSource
		held   held
		want   servicespec.Variables
	}{
		"SortedByName": {
			reason: "The same declaration must give the same bytes, and order means nothing.",
			env:    []v1alpha1.EnvVar{plain("B", "2"), plain("A", "1"), {Name: "C"}},
			want:   servicespec.Variables{{Name: "A", Value: "1"}, {Name: "B", Value: "2"}, {Name: "C"}},
		},
		"References": {
			reason: "A Secret and a ConfigMap of one name are two objects.",
			env:    []v1alpha1.EnvVar{secretVar("A", "x", "k", false), configVar("B", "x", "k")},
			held:   held{"Secret x": {"k": "s"}, "ConfigMap x": {"k": "c"}},
			want:   servicespec.Variables{{Name: "A", Value: "s", Referenced: true}, {Name: "B", Value: "c", Referenced: true}},
		},
		"EnvWinsOverEnvFrom": {
			reason: "As in Kubernetes; and what is written down needs no keeping.",
			env:    []v1alpha1.EnvVar{plain("A", "env")},
			from:   []v1alpha1.EnvFromSource{fromSecret("", "x", false)},
			held:   held{"Secret x": {"A": "from", "B": "b"}},
			want:   servicespec.Variables{{Name: "A", Value: "env"}, {Name: "B", Value: "b", Referenced: true}},
		},
		"LaterEnvFromWins": {
			reason: "As in Kubernetes.",
			from:   []v1alpha1.EnvFromSource{fromSecret("", "x", false), fromConfigMap("", "y")},
			held:   held{"Secret x": {"A": "1"}, "ConfigMap y": {"A": "2"}},
			want:   servicespec.Variables{{Name: "A", Value: "2", Referenced: true}},
		},
		"KeysThatAreNoNamesAreSkipped": {
			reason: "A ConfigMap also holds files; a prefix may make a name of a key.",
			from:   []v1alpha1.EnvFromSource{fromConfigMap("", "x"), fromConfigMap("P_", "x")},
			held:   held{"ConfigMap x": {"a.conf": "{{", "1st": "1", "ok": "2"}},
			want: servicespec.Variables{
				{Name: "P_1st", Value: "1", Referenced: true}, {Name: "P_ok", Value: "2", Referenced: true}, {Name: "ok", Value: "2", Referenced: true},
			},
		},
		"OptionalMayBeMissing": {
			reason: "The container starts without the object and without the key.",
			env:    []v1alpha1.EnvVar{secretVar("A", "gone", "k", true), secretVar("B", "x", "gone", true)},
			from:   []v1alpha1.EnvFromSource{fromSecret("", "gone", true)},
			held:   held{"Secret x": {}},
			want:   servicespec.Variables{},
		},
		"OptionalLeavesEnvFromInPlace": {
			reason: "A reference that gives nothing takes nothing away.",
			env:    []v1alpha1.EnvVar{secretVar("A", "gone", "k", true)},
			from:   []v1alpha1.EnvFromSource{fromSecret("", "x", false)},
			held:   held{"Secret x": {"A": "1"}},
			want:   servicespec.Variables{{Name: "A", Value: "1", Referenced: true}},
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := servicespec.Env(&v1alpha1.TenantContainerSpec{Env: tc.env, EnvFrom: tc.from}, tc.held.lookup)
			if err != nil {
				t.Fatalf("%s\nEnv: %v", tc.reason, err)
			}
			if len(got)+len(tc.want) > 0 {
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
				}
			}

			recorded := servicespec.RecordedEnv(&v1alpha1.TenantContainerSpec{Env: tc.env, EnvFrom: tc.from}, got.Referenced())
			if diff := cmp.Diff(got, recorded); diff != "" {
				t.Errorf("the environment cannot be had again from its record:\n%s", diff)
			}
		})
	}
}

func TestEnvStrings(t *testing.T) {
	got := servicespec.Variables{{Name: "A", Value: "x=y"}, {Name: "B"}}.Strings()
	if diff := cmp.Diff([]string{"A=x=y", "B="}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestEnvProblems(t *testing.T) {
	cases := map[string]struct {
		reason string
		env    []v1alpha1.EnvVar
		from   []v1alpha1.EnvFromSource
		held   held
		want   []error
	}{
		"AllMissingAtOnce": {
			reason: "Who has three things to fix wants to hear of three.",
			env:    []v1alpha1.EnvVar{secretVar("A", "gone", "k", false), configVar("B", "x", "gone")},
			from:   []v1alpha1.EnvFromSource{fromConfigMap("", "y")},
			held:   held{"ConfigMap x": {"k": "1"}},
			want: []error{
				&servicespec.MissingError{Field: "spec.envFrom[0].configMapRef", Kind: "ConfigMap", Name: "y"},
				&servicespec.MissingError{Field: "spec.env[A].valueFrom.secretKeyRef", Kind: "Secret", Name: "gone"},
				&servicespec.MissingError{Field: "spec.env[B].valueFrom.configMapKeyRef", Kind: "ConfigMap", Name: "x", Key: "gone"},
			},
		},
		"TemplateThroughAReference": {
			reason: "The engine would expand it on the node, after any check of the object.",
			env:    []v1alpha1.EnvVar{configVar("A", "x", "k")},
			held:   held{"ConfigMap x": {"k": "{{.Node.Hostname}}"}},
			want: []error{&servicespec.ContentError{
				Field: "spec.env[A].valueFrom.configMapKeyRef", Kind: "ConfigMap", Name: "x", Key: "k",
				Problem: "cannot be a variable: it must not contain {{ or }}: the engine would expand it as a template, " +
					"on the manager and again on the node; a file can hold it",
			}},
		},
		"BinaryThroughEnvFrom": {
			reason: "JSON would make something else of it, and no process can get a zero byte.",
			from:   []v1alpha1.EnvFromSource{fromSecret("", "x", false)},
			held:   held{"Secret x": {"A": "\xff", "B": "\x00"}},
			want: []error{
				&servicespec.ContentError{
					Field: "spec.envFrom[0].secretRef", Kind: "Secret", Name: "x", Key: "A",
					Problem: "cannot be a variable: it must be UTF-8; a file can hold it",
				},
				&servicespec.ContentError{
					Field: "spec.envFrom[0].secretRef", Kind: "Secret", Name: "x", Key: "B",
					Problem: "cannot be a variable: it must not contain a zero byte; a file can hold it",
				},
			},
		},
		"NoSource": {
			reason: "The schema demands one.",
			env:    []v1alpha1.EnvVar{{Name: "A", ValueFrom: &v1alpha1.EnvVarSource{}}},
			want:   []error{&servicespec.FieldError{Field: "spec.env[A].valueFrom", Problem: "must name a key"}},
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := servicespec.Env(&v1alpha1.TenantContainerSpec{Env: tc.env, EnvFrom: tc.from}, tc.held.lookup)
			if got != nil {
				t.Errorf("Env: got %v with an error", got)
			}
			sameProblems(t, tc.reason, tc.want, err)
		})
	}
}

// sameProblems compares joined errors, with their fields.
func sameProblems(t *testing.T, reason string, want []error, err error) {
	t.Helper()

	var all interface{ Unwrap() []error }
	if !errors.As(err, &all) {
		t.Fatalf("%s\ngot error %v, want several, joined", reason, err)
	}
	if diff := cmp.Diff(want, all.Unwrap()); diff != "" {
		t.Errorf("%s\n-want +got:\n%s", reason, diff)
	}
}

func TestFiles(t *testing.T) {
	template := &v1alpha1.TenantContainerSpec{Files: []v1alpha1.File{
		{Path: "/z", SecretKeyRef: &v1alpha1.KeySelector{Name: "x", Key: "k"}, Mode: new(int32(0)), UID: new(int64(5)), GID: new(int64(6))},
		{Path: "/a", ConfigMapKeyRef: &v1alpha1.KeySelector{Name: "y", Key: "k"}},
		{Path: "/gone", ConfigMapKeyRef: &v1alpha1.KeySelector{Name: "gone", Key: "k", Optional: true}},
	}}
	objects := held{"Secret x": {"k": "{{secret \"x\"}}"}, "ConfigMap y": {"k": "\x00\xff"}}

	got, err := servicespec.Files(template, objects.lookup)
	if err != nil {
		t.Fatal(err)
	}
	want := []servicespec.FileContent{
		{Path: "/a", Kind: "ConfigMap", Name: "y", Key: "k", Data: []byte("\x00\xff"), Mode: 0o444},
		{Path: "/z", Kind: "Secret", Name: "x", Key: "k", Data: []byte("{{secret \"x\"}}"), UID: 5, GID: 6},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files hold any bytes, because templating is never on\n-want +got:\n%s", diff)
	}

	resolved := servicespec.ResolvedFile{Path: "/z", Kind: "Secret", SwarmID: "1", SwarmName: "n", UID: 5, GID: 6}
	if diff := cmp.Diff(resolved, got[1].Resolved("1", "n")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestFilesProblems(t *testing.T) {
	const limit = 500 << 10
	template := &v1alpha1.TenantContainerSpec{Files: []v1alpha1.File{
		{Path: "/a", SecretKeyRef: &v1alpha1.KeySelector{Name: "x", Key: "empty"}},
		{Path: "/b", SecretKeyRef: &v1alpha1.KeySelector{Name: "x", Key: "large"}},
		{Path: "/c", SecretKeyRef: &v1alpha1.KeySelector{Name: "x", Key: "fits"}},
		{Path: "/d", ConfigMapKeyRef: &v1alpha1.KeySelector{Name: "x", Key: "large"}},
		{Path: "/e", ConfigMapKeyRef: &v1alpha1.KeySelector{Name: "gone", Key: "k"}},
	}}
	objects := held{
		"Secret x":    {"empty": "", "large": strings.Repeat("x", limit), "fits": strings.Repeat("x", limit-1)},
		"ConfigMap x": {"large": strings.Repeat("x", 2*limit)},
	}

	_, err := servicespec.Files(template, objects.lookup)
	sameProblems(t, "Swarm keeps no empty content, and none that is too large.", []error{
		&servicespec.ContentError{
			Field: "spec.files[/a].secretKeyRef", Kind: "Secret", Name: "x", Key: "empty",
			Problem: "has 0 bytes: Swarm keeps at least 1 and less than 512000",
		},
		&servicespec.ContentError{
			Field: "spec.files[/b].secretKeyRef", Kind: "Secret", Name: "x", Key: "large",
			Problem: "has 512000 bytes: Swarm keeps at least 1 and less than 512000",
		},
		&servicespec.ContentError{
			Field: "spec.files[/d].configMapKeyRef", Kind: "ConfigMap", Name: "x", Key: "large",
			Problem: "has 1024000 bytes: Swarm keeps at least 1 and less than 1024000",
		},
		&servicespec.MissingError{Field: "spec.files[/e].configMapKeyRef", Kind: "ConfigMap", Name: "gone"},
	}, err)
}

func TestErrorsReadAsSentences(t *testing.T) {
	for want, err := range map[string]error{
		`spec.env[A].valueFrom.secretKeyRef: there is no Secret "db"`:    &servicespec.MissingError{Field: "spec.env[A].valueFrom.secretKeyRef", Kind: "Secret", Name: "db"},
		`spec.files[/a].configMapKeyRef: ConfigMap "x" has no key "k"`:   &servicespec.MissingError{Field: "spec.files[/a].configMapKeyRef", Kind: "ConfigMap", Name: "x", Key: "k"},
		`spec.files[/a].secretKeyRef: key "k" of Secret "x" has 0 bytes`: &servicespec.ContentError{Field: "spec.files[/a].secretKeyRef", Kind: "Secret", Name: "x", Key: "k", Problem: "has 0 bytes"},
		`spec.security.runAsGroup: needs runAsUser`:                      &servicespec.FieldError{Field: "spec.security.runAsGroup", Problem: "needs runAsUser"},
	} {
		if got := err.Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
