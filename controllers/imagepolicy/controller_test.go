package imagepolicy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

func TestLatestIsShown(t *testing.T) {
	play(t, []client.Object{policy()}, func(w *world) {
		p := w.settle()

		want := gitopsv1.ImagePolicyStatus{ObservedGeneration: 1, LatestImage: "app:1.1.0@" + digest("b"), LatestTag: "1.1.0", Tags: 2}
		got := p.Status
		got.Conditions = nil

		if diff := cmp.Diff(want, got); diff != "" || ready(p) != "True ReconciliationSucceeded: Latest is app:1.1.0" {
			t.Errorf("%s (-want +got):\n%s", ready(p), diff)
		}

		version := p.ResourceVersion
		if p := w.later(); p.ResourceVersion != version || w.shop.lists != 2 || time.Since(w.next) > 0 {
			t.Errorf("at rest the status is written: %+v; asked %d times", p.Status, w.shop.lists)
		}

		w.shop.set(map[string]string{"1.0.0": "a", "1.1.0": "b", "1.2.0": "c"})

		if p := w.later(); p.Status.LatestTag != "1.2.0" || p.Status.PreviousImage != "app:1.1.0@"+digest("b") {
			t.Errorf("a new tag: %+v", p.Status)
		}

		if text := fmt.Sprint(w.notes.all); !strings.Contains(text, "Normal LatestImageChanged: Latest image is app:1.2.0@"+digest("c")+", was app:1.1.0@"+digest("b")) {
			t.Errorf("events: %s", text)
		}
	})
}

// TestContainersAreUpdated: once for an image, as the account, and only what is of the repository.
func TestContainersAreUpdated(t *testing.T) {
	selected := policy(func(s *gitopsv1.ImagePolicySpec) {
		s.ServiceAccountName = "deployer"
		s.Update = &gitopsv1.ImageUpdate{Containers: &gitopsv1.ContainerSelection{
			Names: []v1alpha1.DNSLabel{"web"}, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "jobs"}},
		}}
	})

	play(t, []client.Object{
		selected, container("web", "docker.io/library/app:1.0.0"), container("jobs", "app"), container("other", "app:1.0.0"),
		container("db", "postgres:1.0.0", func(c *v1alpha1.TenantContainer) { c.Labels["app"] = "jobs" }),
	}, func(w *world) {
		p := w.settle()

		got := []string{w.image("web"), w.image("jobs"), w.image("other"), w.image("db"), ready(p)}
		want := []string{"docker.io/library/app:1.1.0", "app:1.1.0", "app:1.0.0", "postgres:1.0.0", "True ReconciliationSucceeded: Latest is app:1.1.0"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}

		writes := 0
		for _, line := range w.writes {
			if strings.Contains(line, " by dogker-image-policy: ") {
				writes++
			}
		}

		if writes != 2 || !strings.Contains(fmt.Sprint(w.as), "acme/deployer") || strings.Contains(fmt.Sprint(w.as), "gitsync") {
			t.Errorf("written %q as %q", w.writes, w.as)
		}

		if text := fmt.Sprint(w.notes.all); !strings.Contains(text, `Normal ImageUpdated: TenantContainer "jobs": image app → app:1.1.0; TenantContainer "web": image docker.io/library/app:1.0.0 → docker.io/library/app:1.1.0`) {
			t.Errorf("events: %s", text)
		}

		before := len(w.writes)
		for range 10 {
			w.later()
		}

		if len(w.writes) != before {
			t.Errorf("at rest it is written: %q", w.writes[before:])
		}
	})
}

// TestNothingIsRestarted: what leads to the same content is no reason to write, nor is a registry without an answer.
func TestNothingIsRestarted(t *testing.T) {
	runs := func(content string) func(*v1alpha1.TenantContainer) {
		return func(c *v1alpha1.TenantContainer) {
			c.Status.Image = &v1alpha1.ImageStatus{Requested: string(c.Spec.Image), Resolved: string(c.Spec.Image) + "@" + digest(content), Pinned: true}
		}
	}
	follows := func(s *gitopsv1.ImagePolicySpec) {
		s.Policy = gitopsv1.ImagePolicyChoice{Digest: &gitopsv1.DigestPolicy{Tag: "main"}}
	}

	cases := map[string]struct {
		reason    string
		policy    *gitopsv1.ImagePolicy
		container *v1alpha1.TenantContainer
		content   map[string]string
		err       error
		want      string
		ready     string
	}{
		"SameContent":  {"A new name for what runs.", policy(containers("web")), container("web", "app:1.0.0", runs("a")), map[string]string{"1.0.0": "a", "1.0.1": "a"}, nil, "app:1.0.0", "True"},
		"OtherContent": {"A new version.", policy(containers("web")), container("web", "app:1.0.0", runs("a")), map[string]string{"1.0.0": "a", "1.0.1": "b"}, nil, "app:1.0.1", "True"},
		"TagMoved":     {"A version that was pushed again is no new version.", policy(containers("web")), container("web", "app:1.0.0", runs("a")), map[string]string{"1.0.0": "b"}, nil, "app:1.0.0", "True"},
		"DigestSame":   {"The tag has not moved.", policy(containers("web"), follows), container("web", "app:main", runs("a")), map[string]string{"main": "a"}, nil, "app:main", "True"},
		"DigestMoved":  {"The tag has moved.", policy(containers("web"), follows), container("web", "app:main", runs("a")), map[string]string{"main": "b"}, nil, "app:main@" + digest("b"), "True"},
		"DigestGone":   {"The tag is gone.", policy(containers("web"), follows), container("web", "app:main", runs("a")), nil, nil, "app:main", "False TagNotFound"},
		"TagsGone":     {"A registry that has lost everything.", policy(containers("web")), container("web", "app:1.0.0", runs("a")), nil, nil, "app:1.0.0", "False TagNotFound"},
		"Away":         {"A registry that does not answer.", policy(containers("web")), container("web", "app:1.0.0", runs("a")), nil, fmt.Errorf("%w: registry away", swarmobj.ErrUnavailable), "app:1.0.0", "Unknown RegistryUnavailable"},
		"Refused":      {"A registry that does not give it.", policy(containers("web")), container("web", "app:1.0.0", runs("a")), nil, fmt.Errorf("%w: private", swarmobj.ErrRefused), "app:1.0.0", "False RegistryRefused"},
		"LatestGone":   {"Taking a bad version out of the registry takes it back, as with Flux.", policy(containers("web")), container("web", "app:1.1.0", runs("b")), map[string]string{"1.0.0": "a"}, nil, "app:1.0.0", "True"},
		"Suspended":    {"Who rests does nothing.", policy(containers("web"), func(s *gitopsv1.ImagePolicySpec) { s.Suspend = true }), container("web", "app:1.0.0", runs("a")), map[string]string{"1.1.0": "b"}, nil, "app:1.0.0", "True Suspended"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			play(t, []client.Object{tc.policy, tc.container}, func(w *world) {
				w.shop.content, w.shop.err = tc.content, tc.err

				p := w.settle()
				if got := w.image("web"); got != tc.want || !strings.HasPrefix(ready(p), tc.ready) {
					t.Errorf("%s\nthe image is %q, want %q; %s", tc.reason, got, tc.want, ready(p))
				}
			})
		})
	}
}

// TestKeepsTheNameOfTheSameContent: a second tag of what was chosen already is chosen only when the first is gone, or has moved.
func TestKeepsTheNameOfTheSameContent(t *testing.T) {
	play(t, []client.Object{policy()}, func(w *world) {
		w.settle()

		for _, step := range []struct {
			content map[string]string
			want    string
		}{
			{map[string]string{"1.1.0": "b", "1.1.1": "b"}, "1.1.0"},
			{map[string]string{"1.1.0": "c", "1.1.1": "b"}, "1.1.1"},
			{map[string]string{"1.1.1": "b", "1.1.2": "b"}, "1.1.1"},
			{map[string]string{"1.1.2": "b"}, "1.1.2"},
		} {
			w.shop.set(step.content)

			if p := w.later(); p.Status.LatestTag != step.want {
				t.Errorf("of %v it is %q, want %q", step.content, p.Status.LatestTag, step.want)
			}
		}
	})
}

func TestContainersThatGitKeeps(t *testing.T) {
	labelled := func(key, value string) func(*v1alpha1.TenantContainer) {
		return func(c *v1alpha1.TenantContainer) { c.Labels[key] = value }
	}
	kept := func(c *v1alpha1.TenantContainer) {
		c.Labels["gitops.dogker.io/name"], c.Labels["gitops.dogker.io/namespace"] = "apps", "acme"
	}
	sync := func(fields ...gitopsv1.IgnoreFields) *gitopsv1.GitSync {
		return &gitopsv1.GitSync{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "apps"}, Spec: gitopsv1.GitSyncSpec{IgnoreFields: fields}}
	}

	const stalled = `False stalled ManagedByGit: TenantContainer "web" is kept by GitSync "apps", which would put its image back: use spec.update.git with gitSyncName, or add /spec/image to ignoreFields of the GitSync`

	cases := map[string]struct {
		reason string
		more   []client.Object
		edit   func(*v1alpha1.TenantContainer)
		want   string
	}{
		"Kept":        {"It would be put back, and written again, for ever.", []client.Object{sync()}, kept, stalled},
		"Ignored":     {"The GitSync leaves the image to others.", []client.Object{sync(gitopsv1.IgnoreFields{Kind: "TenantContainer", Paths: []string{"/spec/image"}})}, kept, "True"},
		"IgnoredHere": {"Of this one.", []client.Object{sync(gitopsv1.IgnoreFields{Name: "web", Paths: []string{"/spec"}})}, kept, "True"},
		"IgnoredElse": {"Of another one.", []client.Object{sync(gitopsv1.IgnoreFields{Name: "db", Paths: []string{"/spec/image"}})}, kept, stalled},
		"IgnoredRest": {"Something else.", []client.Object{sync(gitopsv1.IgnoreFields{Paths: []string{"/spec/replicas"}})}, kept, stalled},
		"Gone":        {"A GitSync that is gone puts nothing back.", nil, kept, "True"},
		"OptedOut": {"The container says that it is left alone.", []client.Object{sync()}, func(c *v1alpha1.TenantContainer) {
			kept(c)
			c.Annotations = map[string]string{"gitops.dogker.io/reconcile": "Disabled"}
		}, "True"},
		"Flux": {"Real Flux would put it back as well.", nil, labelled("kustomize.toolkit.fluxcd.io/name", "apps"), `False stalled ManagedByGit: TenantContainer "web" is kept by Flux' Kustomization "apps"`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			play(t, append(tc.more, policy(containers("web", "free")), container("web", "app:1.0.0", tc.edit), container("free", "app:1.0.0")), func(w *world) {
				p := w.settle()

				want := map[bool]string{true: "app:1.1.0", false: "app:1.0.0"}[tc.want == "True"]
				if !strings.HasPrefix(ready(p), tc.want) || w.image("web") != want || w.image("free") != "app:1.1.0" {
					t.Errorf("%s\n%s; web has %q, free has %q", tc.reason, ready(p), w.image("web"), w.image("free"))
				}
			})
		})
	}
}

func TestContainerThatIsNotThere(t *testing.T) {
	play(t, []client.Object{policy(containers("web", "db", "none")), container("web", "app:1.0.0"), container("db", "postgres:1")}, func(w *world) {
		p := w.settle()

		want := `False ContainerNotFound: spec.update.containers.names: "db", "none": no TenantContainer of that name has an image of "app"`
		if ready(p) != want || w.image("web") != "app:1.1.0" || w.image("db") != "postgres:1" {
			t.Errorf("%s; web has %q", ready(p), w.image("web"))
		}
	})
}

// TestSomebodyElseWrites: a container that is changed back is written to once an interval, however often that happens.
func TestSomebodyElseWrites(t *testing.T) {
	play(t, []client.Object{policy(containers("web")), container("web", "app:1.0.0")}, func(w *world) {
		w.settle()

		for range 3 {
			back := client.RawPatch(types.MergePatchType, []byte(`{"spec":{"image":"app:1.0.0"}}`))
			if err := w.client.Patch(t.Context(), container("web", ""), back); err != nil {
				t.Fatal(err)
			}

			for range 20 {
				w.settle()
			}

			if got := w.image("web"); got != "app:1.0.0" {
				t.Errorf("it is %q before its time", got)
			}

			if w.later(); w.image("web") != "app:1.1.0" {
				t.Errorf("it is %q after an interval", w.image("web"))
			}
		}
	})
}

func TestCredentials(t *testing.T) {
	secret := func(name, data string) *corev1.Secret {
		return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: name}, Data: map[string][]byte{corev1.DockerConfigJsonKey: []byte(data)}}
	}
	pulls := func(names ...v1alpha1.ObjectName) func(*v1alpha1.TenantContainer) {
		return func(c *v1alpha1.TenantContainer) {
			for _, name := range names {
				c.Spec.ImagePullSecrets = append(c.Spec.ImagePullSecrets, v1alpha1.LocalObjectReference{Name: name})
			}
		}
	}
	named := func(s *gitopsv1.ImagePolicySpec) { s.SecretRef = &gitopsv1.SecretReference{Name: "mine"} }

	cases := map[string]struct {
		reason  string
		objects []client.Object
		want    string
		ready   string
	}{
		"Named":      {"The Secret of the spec, and no other.", []client.Object{policy(named), secret("mine", "m"), secret("a", "a"), container("web", "app:1", pulls("a"))}, "[m]", "True"},
		"Borrowed":   {"What containers pull with, once each.", []client.Object{policy(), secret("a", "a"), secret("b", "b"), secret("c", "c"), container("web", "app:1", pulls("b", "a")), container("jobs", "app", pulls("a", "gone")), container("db", "postgres", pulls("c"))}, "[a b]", "True"},
		"None":       {"What is public needs none.", []client.Object{policy()}, "[]", "True"},
		"Missing":    {"A Secret that is named must be there.", []client.Object{policy(named)}, "[]", `False SecretNotFound: spec.secretRef.name: Secret "mine" does not exist`},
		"WithoutKey": {"And be one of the kind.", []client.Object{policy(named), secret("mine", "")}, "[]", `False SecretNotFound: spec.secretRef.name: Secret "mine": data[".dockerconfigjson"] is missing or empty`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			play(t, tc.objects, func(w *world) {
				p := w.settle()
				if got := fmt.Sprint(w.shop.secrets); got != tc.want || !strings.HasPrefix(ready(p), tc.ready) {
					t.Errorf("%s\nasked with %s, want %s; %s", tc.reason, got, tc.want, ready(p))
				}
			})
		})
	}
}

// TestWhenItLooks: at once when the spec or the annotation changes, otherwise after the interval, and ever later while it fails.
func TestWhenItLooks(t *testing.T) {
	play(t, []client.Object{policy()}, func(w *world) {
		p := w.settle()
		if got := time.Until(w.next); got != 5*time.Minute {
			t.Errorf("it looks again in %s", got)
		}

		p.Annotations = map[string]string{gitopsv1.AnnotationRequestedAt: "now"}
		if err := w.client.Update(t.Context(), p); err != nil {
			t.Fatal(err)
		}

		if p = w.settle(); w.shop.lists != 2 || p.Status.LastHandledReconcileAt != "now" {
			t.Errorf("asked for, it has looked %d times: %+v", w.shop.lists, p.Status)
		}

		if diff := cmp.Diff([]time.Duration{time.Minute, 2 * time.Second}, w.shop.ages); diff != "" {
			t.Errorf("how old lists may be (-want +got):\n%s", diff)
		}

		w.shop.err = fmt.Errorf("%w: away", swarmobj.ErrUnavailable)

		var waits []time.Duration
		for range 4 {
			w.later()
			waits = append(waits, time.Until(w.next).Round(time.Second))
		}

		if diff := cmp.Diff([]time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 5 * time.Minute}, waits); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// TestSlowRegistriesHoldUpNobody: a pass never waits for a registry, and a look that nobody wants any more is given up.
func TestSlowRegistriesHoldUpNobody(t *testing.T) {
	play(t, []client.Object{policy()}, func(w *world) {
		w.shop.slow = time.Hour

		before := time.Now()
		w.pass()

		if p := w.policy(); time.Since(before) > 0 || ready(p) != "Unknown Progressing: Looking for the latest image" {
			t.Errorf("after %s: %s", time.Since(before), ready(p))
		}

		p := w.policy()
		p.Spec.Suspend, p.Generation = true, 2

		if err := w.client.Update(t.Context(), p); err != nil {
			t.Fatal(err)
		}

		if p := w.settle(); time.Since(before) > 0 || !strings.HasPrefix(ready(p), "True Suspended") {
			t.Errorf("after %s: %s", time.Since(before), ready(p))
		}
	})
}

func TestInvalidPolicyStalls(t *testing.T) {
	bad := policy(func(s *gitopsv1.ImagePolicySpec) { s.Policy.SemVer.Range = "newest" })
	play(t, []client.Object{bad}, func(w *world) {
		if p := w.settle(); !strings.HasPrefix(ready(p), `False stalled PolicyInvalid: spec.policy.semver.range: Invalid value: "newest"`) || w.shop.lists != 0 {
			t.Errorf("%s; asked %d times", ready(p), w.shop.lists)
		}
	})
}
