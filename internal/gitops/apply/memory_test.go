package apply

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/dogker/dogker/reconciler/delivery"
)

func TestMemory(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	entry := metav1.ManagedFieldsEntry{Manager: FieldManager, Operation: metav1.ManagedFieldsOperationApply, FieldsV1: metav1.NewFieldsV1(`{}`)}
	counted := metav1.ObjectMeta{
		UID: "u", ResourceVersion: "5", Generation: 2, Labels: map[string]string{"a": "b"}, ManagedFields: []metav1.ManagedFieldsEntry{entry},
	}
	uncounted := counted
	uncounted.Generation = 0

	for name, tc := range map[string]struct {
		reason string
		live   metav1.ObjectMeta
		change func(*metav1.ObjectMeta, *delivery.Request, *item)
		after  time.Duration
		want   bool
	}{
		"Same":          {reason: "Nothing has changed.", live: counted, want: true},
		"StatusWritten": {reason: "A status is no business of a repository.", live: counted, change: func(m *metav1.ObjectMeta, _ *delivery.Request, _ *item) { m.ResourceVersion = "6" }, want: true},
		"StatusManaged": {reason: "Nor is who wrote it, and when.", live: counted, change: func(m *metav1.ObjectMeta, _ *delivery.Request, _ *item) {
			m.ManagedFields = append([]metav1.ManagedFieldsEntry{{Manager: "x", Subresource: "status"}}, m.ManagedFields...)
			m.ManagedFields[1].Time = &metav1.Time{Time: now}
		}, want: true},
		"SpecWritten":  {reason: "A spec is.", live: counted, change: func(m *metav1.ObjectMeta, _ *delivery.Request, _ *item) { m.Generation = 3 }},
		"NoGeneration": {reason: "What has no generation is known by its version.", live: uncounted, change: func(m *metav1.ObjectMeta, _ *delivery.Request, _ *item) { m.ResourceVersion = "6" }},
		"Labelled":     {reason: "Labels do not move the generation.", live: counted, change: func(m *metav1.ObjectMeta, _ *delivery.Request, _ *item) { m.Labels = map[string]string{"a": "c"} }},
		"Annotated":    {reason: "Nor do annotations.", live: counted, change: func(m *metav1.ObjectMeta, _ *delivery.Request, _ *item) { m.Annotations = map[string]string{"x": "y"} }},
		"TakenOver":    {reason: "Nor does who owns what.", live: counted, change: func(m *metav1.ObjectMeta, _ *delivery.Request, _ *item) { m.ManagedFields = nil }},
		"MadeAnew":     {reason: "Another object of the same name is another one.", live: counted, change: func(m *metav1.ObjectMeta, _ *delivery.Request, _ *item) { m.UID = "v" }},
		"BeingDeleted": {reason: "What goes must be seen to go.", live: counted, change: func(m *metav1.ObjectMeta, _ *delivery.Request, _ *item) {
			m.DeletionTimestamp = &metav1.Time{Time: now}
		}},
		"Wanted": {reason: "The repository says something else.", live: counted, change: func(_ *metav1.ObjectMeta, _ *delivery.Request, it *item) {
			it.object.SetAnnotations(map[string]string{"x": "y"})
		}},
		"Ignored":        {reason: "What is ignored has changed.", live: counted, change: func(_ *metav1.ObjectMeta, r *delivery.Request, _ *item) { r.Ignore = []delivery.IgnoreRule{{}} }},
		"AnotherAccount": {reason: "Somebody else may have other rights.", live: counted, change: func(_ *metav1.ObjectMeta, r *delivery.Request, _ *item) { r.ServiceAccount = "x" }},
		"LongAgo":        {reason: "Kinds get new defaults.", live: counted, after: time.Hour},
		"AWhileAgo":      {reason: "But not all the time.", live: counted, after: 44 * time.Minute, want: true},
	} {
		t.Run(name, func(t *testing.T) {
			var m memory
			r, it, live := request(t), one(t, web), tc.live.DeepCopy()
			m.learn(r, it, live, now, time.Hour)
			if tc.change != nil {
				tc.change(live, &r, it)
			}
			if got := m.knows(r, it, live, now.Add(tc.after)); got != tc.want {
				t.Errorf("%s Known is %v.", tc.reason, got)
			}
		})
	}
}

func TestMemoryForgets(t *testing.T) {
	var m memory
	r, it := request(t), one(t, web)
	live := &metav1.ObjectMeta{UID: "u", Generation: 1}
	now := time.Now()

	m.learn(r, it, live, now, time.Hour)
	m.keep(r.Sync, []*item{it})
	if !m.knows(r, it, live, now) {
		t.Error("what is still built is forgotten")
	}
	m.keep(types.NamespacedName{Name: "other"}, nil)
	if !m.knows(r, it, live, now) {
		t.Error("what another sync does is no reason to forget")
	}
	m.keep(r.Sync, nil)
	if len(m.syncs) != 0 {
		t.Errorf("what is not built is remembered: %v", m.syncs)
	}
}

func TestAs(t *testing.T) {
	base := &rest.Config{Host: "https://api", BearerToken: "admin", Impersonate: rest.ImpersonationConfig{UserName: "root", Groups: []string{"system:masters"}}}
	cfg, err := As(base, "acme", "deployer")
	if err != nil {
		t.Fatal(err)
	}
	if i := cfg.Impersonate; i.UserName != "system:serviceaccount:acme:deployer" || len(i.Groups) > 0 || len(i.Extra) > 0 || i.UID != "" {
		t.Errorf("it acts as %+v", i)
	}
	if base.Impersonate.UserName != "root" {
		t.Error("the configuration that it was made of has changed")
	}
	for _, tc := range [][2]string{{"acme", ""}, {"", "a"}, {"acme", "a:b"}, {"acme:x", "a"}, {"acme", "A"}, {"acme", "a/b"}, {"acme", "a\n"}} {
		if _, err := As(base, tc[0], tc[1]); err == nil {
			t.Errorf("%q in %q was taken for a ServiceAccount", tc[1], tc[0])
		}
	}
}
