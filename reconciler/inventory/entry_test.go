package inventory

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestID(t *testing.T) {
	for name, tc := range map[string]struct {
		reason  string
		id      ID
		text    string
		subject string
	}{
		"OursInANamespace": {
			reason: "This is what stands in status.inventory of a Kustomization as well.",
			id:     ID{"acme", "web", "dogker.io", "TenantContainer"}, text: "acme_web_dogker.io_TenantContainer", subject: "TenantContainer/web",
		},
		"CoreHasNoGroup": {
			reason: "The place of the group stays, empty.",
			id:     ID{"acme", "settings", "", "ConfigMap"}, text: "acme_settings__ConfigMap", subject: "ConfigMap/settings",
		},
		"ClusterHasNoNamespace": {
			reason: "Platforms sync such kinds.",
			id:     ID{"", "acme", "dogker.io", "Tenant"}, text: "_acme_dogker.io_Tenant", subject: "Tenant/acme",
		},
		"ColonsOfRoles": {
			reason: "Names of roles may have colons, which Flux writes as two underscores.",
			id:     ID{"acme", "dogker:prices", "rbac.authorization.k8s.io", "Role"}, text: "acme_dogker__prices_rbac.authorization.k8s.io_Role",
			subject: "Role.rbac.authorization.k8s.io/dogker:prices",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tc.id.String(); got != tc.text {
				t.Errorf("%s\ngot %q, want %q", tc.reason, got, tc.text)
			}
			back, err := ParseID(tc.text)
			if diff := cmp.Diff(tc.id, back); err != nil || diff != "" {
				t.Errorf("%s\n%v\n%s", tc.reason, err, diff)
			}
			if err := tc.id.Validate(); err != nil {
				t.Error(err)
			}
			if got := tc.id.Subject(); got != tc.subject {
				t.Errorf("subject is %q, want %q", got, tc.subject)
			}
		})
	}
}

func TestRefusedIDs(t *testing.T) {
	for _, text := range []string{"", "web", "acme_web", "acme_web_ConfigMap", "acme__dogker.io_TenantContainer", "acme_web_dogker.io_"} {
		if id, err := ParseID(text); err == nil {
			t.Errorf("%q was read as %+v", text, id)
		}
	}
	for reason, id := range map[string]ID{
		"two underscores are a colon":   {"acme", "a__b", "", "ConfigMap"},
		"an empty name is nobody's":     {"acme", "", "", "ConfigMap"},
		"an empty kind is nothing":      {"acme", "web", "", ""},
		"a namespace has no underscore": {"a_b", "web", "", "ConfigMap"},
	} {
		if err := id.Validate(); err == nil {
			t.Errorf("%s: %+v is valid", reason, id)
		}
	}
	if _, err := Read([]Entry{{ID: "acme_web__ConfigMap"}, {ID: "broken"}}); err == nil {
		t.Error("a record that cannot be read was read")
	}
}

// TestIDsRoundTrip: whatever Validate accepts is read back as itself.
func TestIDsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[a-z0-9:_.-]{0,12}`)
		id := ID{
			Namespace: rapid.StringMatching(`[a-z0-9_-]{0,8}`).Draw(t, "namespace"), Name: text.Draw(t, "name"),
			Group: rapid.StringMatching(`[a-z.]{0,8}`).Draw(t, "group"), Kind: rapid.StringMatching(`[A-Za-z]{0,8}`).Draw(t, "kind"),
		}
		if id.Validate() != nil {
			return
		}
		if back, err := ParseID(id.String()); err != nil || back != id {
			t.Fatalf("%+v is read back as %+v: %v", id, back, err)
		}
	})
}

// TestRecordsAreTheSameBytes: order and repetition do not show.
func TestRecordsAreTheSameBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		objects := someObjects(t, "objects")
		want := Write(objects)
		shuffled := append(rapid.Permutation(objects).Draw(t, "shuffled"), objects...)
		if diff := cmp.Diff(want, Write(shuffled)); diff != "" {
			t.Fatal(diff)
		}
		back, err := Read(want)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, Write(back)); diff != "" {
			t.Fatal(diff)
		}
	})
}
