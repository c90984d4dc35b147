package collector

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

func item(name, tenant, uid string) swarmobj.Item {
	return swarmobj.Item{ID: "id-" + name, Name: name, Owner: swarmobj.Owner{Tenant: tenant, UID: uid}}
}

func TestOrphans(t *testing.T) {
	inv := swarmobj.Inventory{
		Services: []swarmobj.Item{
			item("acme_web", "acme", "u1"), item("acme_old", "acme", "gone"),
			{ID: "agents", Name: "dogker-system_agent", Owner: swarmobj.Agents("dogker-system", "namespace")},
		},
		Secrets:  []swarmobj.Item{item("s-used", "acme", ""), item("s-kept", "acme", ""), item("s-left", "acme", "")},
		Configs:  []swarmobj.Item{item("c-left", "acme", "")},
		Networks: []swarmobj.Item{item("acme_default", "acme", ""), item("void_default", "void", ""), item("new_default", "new", "")},

		Referenced: map[string]bool{"s-used": true},
	}
	d := declared{
		owners:   map[string]bool{"u1": true},
		tenants:  map[string]bool{"acme": true, "new": true},
		contents: map[string]bool{"s-kept": true},
	}

	var got []string
	for _, o := range orphans(inv, d) {
		got = append(got, o.String())
	}

	want := []string{
		`remove service "acme_old"`, `remove secret "s-left"`, `remove config "c-left"`, `remove network "void_default"`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("orphans (-want +got):\n%s", diff)
	}
}

func TestRipe(t *testing.T) {
	seen := map[string]time.Time{}
	start := time.Unix(1000, 0)
	a, b := orphan{sortService, item("a", "t", "")}, orphan{sortService, item("b", "t", "")}

	if got := ripe(seen, []orphan{a, b}, start); len(got) != 0 {
		t.Errorf("nothing is removed at first sight, got %v", got)
	}
	if got := ripe(seen, []orphan{a}, start.Add(grace/2)); len(got) != 0 {
		t.Errorf("nothing is removed before its time, got %v", got)
	}
	if got := ripe(seen, []orphan{a, b}, start.Add(grace)); len(got) != 1 || got[0].item.Name != "a" {
		t.Errorf("what had an owner in between starts anew, got %v", got)
	}
}

func TestBraked(t *testing.T) {
	many := make([]orphan, 20)
	for i := range many {
		many[i] = orphan{sort: sortService}
	}

	cases := map[string]struct {
		reason   string
		found    []orphan
		services int
		want     bool
	}{
		"Few":           {"A few orphans are what the collector is for.", many[:brakeCount], 12, false},
		"ManyOfMany":    {"Many are no alarm among very many.", many, 1000, false},
		"ManyOfFew":     {"When most services look unowned, the store is wrong.", many, 30, true},
		"ContentsAlone": {"Contents are not counted: they are made anew.", make([]orphan, 100), 30, false},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := braked(tc.found, tc.services); got != tc.want {
				t.Errorf("%s\nbraked = %v, want %v", tc.reason, got, tc.want)
			}
		})
	}
}
