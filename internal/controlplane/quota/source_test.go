package quota

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/allotment/allotmenttest"
)

func TestChanged(t *testing.T) {
	at := func(generation, revision int64, memory string) *v1alpha1.TenantContainer {
		c := allotmenttest.Web(1, memory)
		c.Generation, c.Status.Revision = generation, revision

		return c
	}
	back := at(1, 2, "64Mi")
	back.Spec.RollbackTo = new(int64(2))
	told := at(1, 0, "64Mi")
	told.Spec.RollbackTo = new(int64(2))

	cases := map[string]struct {
		reason      string
		before, now any
		want        bool
	}{
		"FirstRevision":       {"It is what was charged.", at(1, 0, "64Mi"), at(1, 1, "64Mi"), false},
		"FirstOfAChanged":     {"What runs may be the declaration of before.", at(2, 0, "64Mi"), at(2, 1, "64Mi"), true},
		"FirstIsAnOldOne":     {"A revision of a container that had this name may use more.", told, back, true},
		"AnotherRevision":     {"What ran may have used more.", at(2, 1, "64Mi"), at(2, 2, "64Mi"), true},
		"StatusLost":          {"Nothing is known of what runs.", at(1, 1, "64Mi"), at(1, 0, "64Mi"), true},
		"Less":                {"What is given back is counted, not charged.", at(1, 1, "64Mi"), at(2, 1, "32Mi"), true},
		"SomethingElse":       {"What is not charged is not counted.", at(1, 1, "64Mi"), at(2, 1, "64Mi"), false},
		"NeitherIsAContainer": {"What is not understood is counted.", &corev1.Secret{}, &corev1.Secret{}, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := Changed(containersResource, tc.before, tc.now); got != tc.want {
				t.Errorf("%s\ngot %v, want %v", tc.reason, got, tc.want)
			}
		})
	}

	if Changed(secretsResource.WithVersion("v1"), at(1, 1, "64Mi"), at(1, 2, "64Mi")) {
		t.Error("other kinds are counted by their number, which no update changes")
	}
}
