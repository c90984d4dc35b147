package servicespec_test

import (
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/servicespec"
)

func TestTemplateOf(t *testing.T) {
	spec := complete()
	spec.Replicas = new(int32(3))
	spec.Rollout = &v1alpha1.Rollout{Parallelism: new(int32(2))}
	spec.RevisionHistoryLimit = new(int32(5))
	spec.RollbackTo = new(int64(4))
	spec.DependsOn = []v1alpha1.Dependency{{Name: "db"}}
	spec.Paused = true
	before := spec.DeepCopy()

	got := servicespec.TemplateOf(spec)
	if diff := cmp.Diff(complete(), got); diff != "" {
		t.Errorf("what makes no revision is left out, and nothing else\n-want +got:\n%s", diff)
	}

	got.Env[0].Name = "CHANGED"
	if diff := cmp.Diff(before, spec); diff != "" {
		t.Errorf("a template shares memory with its spec:\n%s", diff)
	}
}

func TestTemplateHashOfTheSame(t *testing.T) {
	cases := map[string]struct {
		reason string
		change func(*template)
	}{
		"NotATemplateField": {
			reason: "Scaling makes no revision.",
			change: func(t *template) { t.Replicas, t.Paused, t.RollbackTo = new(int32(9)), true, new(int64(1)) },
		},
		"HowItIsWatched": {
			reason: "Where a container tells about itself is no reason to restart it.",
			change: func(t *template) { t.Metrics = &v1alpha1.Metrics{Port: intstr.FromInt32(9090)} },
		},
		"DefaultsOfTheSchema": {
			reason: "The API server fills defaults in where it stores a revision, and perhaps not where it stores the spec.",
			change: func(t *template) {
				t.RevisionHistoryLimit, t.ImagePullPolicy = new(int32(10)), v1alpha1.PullIfNotPresent
				t.Mode = ""
				t.Ports[0].Protocol = ""
				t.Files[1].Mode, t.Files[1].UID = new(int32(0o444)), new(int64(0))
			},
		},
		"PullingChangesNothingThatRuns": {
			reason: "Credentials are renewed without a rollout.",
			change: func(t *template) { t.ImagePullPolicy, t.ImagePullSecrets = v1alpha1.PullNever, nil },
		},
		"OrderOfSets": {
			reason: "The order of these lists means nothing to a container.",
			change: func(t *template) {
				for _, reverse := range []func(){
					func() { slices.Reverse(t.Env) }, func() { slices.Reverse(t.Files) }, func() { slices.Reverse(t.Ports) },
					func() { slices.Reverse(t.ExtraHosts) }, func() { slices.Reverse(t.ExtraHosts[1].Hostnames) },
					func() { slices.Reverse(t.Ulimits) }, func() { slices.Reverse(t.Tmpfs) }, func() { slices.Reverse(t.Volumes) }, func() { slices.Reverse(t.DNSAliases) },
					func() { slices.Reverse(t.Placement.Constraints) }, func() { slices.Reverse(t.Placement.Platforms) },
					func() { slices.Reverse(t.Security.Capabilities.Add) },
				} {
					reverse()
				}
			},
		},
		"OtherUnits": {
			reason: "Half a CPU is 500m, and 64Mi are 65536Ki.",
			change: func(t *template) {
				t.Resources.Limits.CPU, t.Resources.Limits.Memory = quantity("0.5"), quantity("65536Ki")
				t.Resources.Requests.CPU, t.Resources.Requests.Memory = quantity("0.02"), quantity("16777216")
				t.Tmpfs[0].Size, t.Logging.MaxSize = *quantity("8192Ki"), quantity("10240Ki")
			},
		},
		"EmptyInPlaceOfNothing": {
			reason: "Decoders differ in what they make of an empty list.",
			change: func(t *template) { t.EnvFrom[0].SecretRef, t.Command = nil, append([]v1alpha1.Text{}, t.Command...) },
		},
	}

	want := servicespec.TemplateHash(complete(), nil)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			changed := complete()
			tc.change(changed)
			if got := servicespec.TemplateHash(changed, nil); got != want {
				t.Errorf("%s\ngot %q, want %q", tc.reason, got, want)
			}
		})
	}
}

func TestTemplateHashOfNothing(t *testing.T) {
	bare := &v1alpha1.TenantContainerSpec{Image: "a"}
	empty := &v1alpha1.TenantContainerSpec{
		Image: "a", Command: []v1alpha1.Text{}, Env: []v1alpha1.EnvVar{}, Labels: map[string]v1alpha1.LabelText{},
		Resources: &v1alpha1.Resources{Limits: &v1alpha1.ResourceLimits{}}, Security: &v1alpha1.Security{}, Placement: &v1alpha1.Placement{},
		RestartPolicy:                 &v1alpha1.RestartPolicy{Condition: v1alpha1.RestartAlways, DelaySeconds: new(int32(5)), MaxAttempts: new(int32(0))},
		TerminationGracePeriodSeconds: new(int64(30)),
	}
	if x, y := servicespec.TemplateHash(bare, nil), servicespec.TemplateHash(empty, map[string]string{}); x != y {
		t.Errorf("nothing and an empty something differ: %q, %q", x, y)
	}
}

func TestTemplateHashOfAnother(t *testing.T) {
	cases := map[string]struct {
		reason string
		change func(*template)
	}{
		"Image":          {"Of all changes the most common.", func(t *template) { t.Image = "registry.example/shop:1.5" }},
		"OrderOfArgs":    {"Arguments have an order.", func(t *template) { slices.Reverse(t.Args) }},
		"OrderOfSpread":  {"Earlier labels come first.", func(t *template) { t.Placement.Spread = []string{"node.labels.a", "node.labels.zone"} }},
		"InitUnset":      {"False is not the engine's choice.", func(t *template) { t.Security.Init = nil }},
		"GraceOfZero":    {"Zero is not the default.", func(t *template) { t.TerminationGracePeriodSeconds = new(int64(0)) }},
		"FileModeOfZero": {"Zero is not the default.", func(t *template) { t.Files[1].Mode = new(int32(0)) }},
		"TmpfsModeUnset": {"The default is another.", func(t *template) { t.Tmpfs[0].Mode = nil }},
		"Value":          {"A variable is part of it.", func(t *template) { t.Env[0].Value = new(v1alpha1.Text("x")) }},
		"Limit":          {"By one byte.", func(t *template) { t.Resources.Limits.Memory = quantity("67108865") }},
		"Volume":         {"Other data.", func(t *template) { t.Volumes[0].Name = "archive" }},
		"VolumeReadOnly": {"It may write, or may not.", func(t *template) { t.Volumes[0].ReadOnly = true }},
		"VolumeGone":     {"Mounts that are left out are lost.", func(t *template) { t.Volumes = t.Volumes[:1] }},
		"Mode":           {"It makes another service.", func(t *template) { t.Mode = v1alpha1.ModeGlobal }},
	}

	was := servicespec.TemplateHash(complete(), nil)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			changed := complete()
			tc.change(changed)
			if got := servicespec.TemplateHash(changed, nil); got == was {
				t.Errorf("%s\ngot %q for both", tc.reason, got)
			}
		})
	}
}

// The hash must survive versions of Dogker: a new one would make every container a revision. Whoever changes it on
// purpose changes these, too.
func TestTemplateHashStaysTheSame(t *testing.T) {
	// As it was before there were volumes.
	before := complete()
	before.Volumes = nil
	contents := map[string]string{"env PASSWORD": "1", "file /etc/shop/tls.key": "2"}

	for want, got := range map[string]string{
		"xng5ghp9l9": servicespec.TemplateHash(minimal(), nil),
		"99rrflpwbd": servicespec.TemplateHash(before, contents),
		"h5xnl7qhcv": servicespec.TemplateHash(complete(), contents),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if !regexp.MustCompile(`^[a-z0-9]{10}$`).MatchString(got) {
			t.Errorf("%q does not fit in the name of an object", got)
		}
	}
}

func TestContentDigests(t *testing.T) {
	env := servicespec.Variables{{Name: "A", Value: "1", Referenced: true}, {Name: "B", Value: "2"}}
	files := []servicespec.FileContent{{Path: "/a", Data: []byte("3")}}
	was := servicespec.ContentDigests([]byte("key"), env, files)

	if len(was) != 2 || was["env A"] == "" || was["file /a"] == "" {
		t.Errorf("only what comes from elsewhere has a digest: got %v", was)
	}
	if again := servicespec.ContentDigests([]byte("key"), env, files); !cmp.Equal(was, again) {
		t.Errorf("one content, two digests: %v, %v", was, again)
	}
	if other := servicespec.ContentDigests([]byte("another key"), env, files); other["env A"] == was["env A"] {
		t.Error("without the key a digest could be tried out")
	}

	files[0].Data = []byte("4")
	now := servicespec.ContentDigests([]byte("key"), env, files)
	if servicespec.TemplateHash(minimal(), was) == servicespec.TemplateHash(minimal(), now) {
		t.Error("another content has the same template hash")
	}
}
